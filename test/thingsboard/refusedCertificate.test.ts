import { type AddressInfo, connect, createServer as createTcpServer, type Server } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { expect, onTestFinished, test } from 'vitest';
import { selfSigned } from '../../src/device/selfSigned.ts';
import { issueAuthority, issueCertificate } from '../../src/simulator/certificate.ts';
import { type Proof, proveCredentials } from '../../src/thingsboard/proveCredentials.ts';

/** A fatal alert of TLS 1.2 (RFC 5246, section 7.2). */
const alertBytes = (description: number): Buffer => Buffer.from([21, 3, 3, 0, 2, 2, description]);

async function portOf(server: Server): Promise<number> {
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  return port;
}

/** Logs in at a server that answers the client's certificate, in the second flight of TLS 1.2, with an alert. */
async function proofAfterAlert(description: number): Promise<Proof> {
  const authority = await issueAuthority();
  const issued = await issueCertificate({ ips: ['127.0.0.1'], ca: authority });
  const port = await portOf(
    createTlsServer({ ...issued, maxVersion: 'TLSv1.2', requestCert: true, rejectUnauthorized: false }),
  );
  const front = createTcpServer((client) => {
    const server = connect(port, '127.0.0.1');
    server.on('error', () => {}).pipe(client);
    client.on('error', () => {}).on('close', () => server.destroy());
    client.once('data', (hello) => {
      server.write(hello);
      client.once('data', () => {
        server.unpipe(client);
        client.end(alertBytes(description));
      });
    });
  });
  const device = await selfSigned('camera-1');
  return proveCredentials({
    server: {
      host: '127.0.0.1',
      port: await portOf(front),
      useSsl: true,
      ca: { pem: authority.cert, from: 'the test', unused: '' },
    },
    credentials: { type: 'X509_CERTIFICATE', ...device },
    deviceName: 'camera-1',
    timeoutMs: 5000,
    signal: new AbortController().signal,
  });
}

test('a certificate that ThingsBoard before 3.5 does not know (certificate_unknown) is refused credentials', async () => {
  expect(await proofAfterAlert(46)).toEqual({ kind: 'refused' });
});

test('a server that takes no self-signed certificate (unknown_ca) is named, and it stays unknown whether there is a device', async () => {
  const proof = await proofAfterAlert(48);
  expect(proof).toMatchObject({ kind: 'failed', failure: { code: 'TLS_FAILED', retryable: false } });
  expect('failure' in proof && proof.failure.message).toMatch(/does not take the client certificate of this device/);
});
