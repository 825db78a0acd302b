import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer } from 'node:tls';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type IssuedCertificate, issueAuthority, issueCertificate } from '../../src/simulator/certificate.ts';
import { until } from '../support/until.ts';
import { connected, KEYS, provision, REQUEST, simulate } from './mqttClients.ts';

const DAY_MS = 86_400_000;
const inDays = (days: number): Date => new Date(Date.now() + days * DAY_MS);

/** Starts a server with a certificate and connects: `accepted`, or the client's error code. */
async function handshake(served: IssuedCertificate, ca: IssuedCertificate, servername: string): Promise<string> {
  const server = createServer({ cert: served.cert, key: served.key });
  server.on('tlsClientError', () => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port: address.port, ca: ca.cert, servername }, () => {
      socket.destroy();
      resolve('accepted');
    });
    socket.on('error', (error) => resolve('code' in error ? String(error.code) : error.message));
  });
}

describe('a TLS client and a certificate', async () => {
  const ca = await issueAuthority();

  test('valid: accepted by name, wildcard and address', async () => {
    const served = await issueCertificate({ names: ['localhost', '*.example.test'], ips: ['127.0.0.1'], ca });
    expect(await handshake(served, ca, 'localhost')).toBe('accepted');
    expect(await handshake(served, ca, 'a.example.test')).toBe('accepted');
    expect(await handshake(served, ca, '')).toBe('accepted');
  });

  test.each([
    ['expired', { names: ['localhost'], notAfter: inDays(-1), notBefore: inDays(-9), ca }, 'CERT_HAS_EXPIRED'],
    ['not yet valid', { names: ['localhost'], notBefore: inDays(2), ca }, 'CERT_NOT_YET_VALID'],
    ['for another host', { names: ['elsewhere.test'], ca }, 'ERR_TLS_CERT_ALTNAME_INVALID'],
    ['of an unknown CA', { names: ['localhost'], ca: await issueAuthority() }, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
    ['self-signed', { names: ['localhost'] }, 'DEPTH_ZERO_SELF_SIGNED_CERT'],
  ])('%s: refused', async (_what, request, code) => {
    expect(await handshake(await issueCertificate(request), ca, 'localhost')).toBe(code);
  });

  test('of an expired CA: refused', async () => {
    const old = await issueAuthority({ notBefore: inDays(-9), notAfter: inDays(-1) });
    expect(await handshake(await issueCertificate({ names: ['localhost'], ca: old }), old, 'localhost')).toBe(
      'CERT_HAS_EXPIRED',
    );
  });
});

describe('content', () => {
  test('contains names and addresses, IPv6 in every spelling', async () => {
    const ips = ['127.0.0.1', '::1', '2001:db8::ff00:42:8329', '::ffff:1.2.3.4', '1:2:3:4:5:6:7:8', 'fe80::'];
    const { cert } = await issueCertificate({ names: ['localhost'], ips });
    expect(new X509Certificate(cert).subjectAltName).toBe(
      'DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, ' +
        'IP Address:2001:DB8:0:0:0:FF00:42:8329, IP Address:0:0:0:0:0:FFFF:102:304, ' +
        'IP Address:1:2:3:4:5:6:7:8, IP Address:FE80:0:0:0:0:0:0:0',
    );
  });

  test('supports dates after 2049', async () => {
    const { cert } = await issueCertificate({
      names: ['x'],
      notBefore: new Date('2049-12-31T23:59:59Z'),
      notAfter: new Date('2051-01-02T03:04:05Z'),
    });
    const { validFrom, validTo } = new X509Certificate(cert);
    expect([validFrom, validTo]).toEqual(['Dec 31 23:59:59 2049 GMT', 'Jan  2 03:04:05 2051 GMT']);
  });

  test('the key belongs to the certificate, which the CA has signed', async () => {
    const ca = await issueAuthority({ name: 'A CA' });
    const issued = new X509Certificate((await issueCertificate({ names: ['x'], ca })).cert);
    const authority = new X509Certificate(ca.cert);
    expect(issued.checkIssued(authority) && issued.verify(authority.publicKey)).toBe(true);
    expect([issued.ca, authority.ca]).toEqual([false, true]);
    expect(authority.subject).toMatch(/^CN=A CA [0-9a-f]{8}$/);
  });

  test('an invalid address is refused', async () => {
    await expect(issueCertificate({ ips: ['localhost'] })).rejects.toThrow(TypeError);
  });
});

describe('the simulator over TLS', () => {
  test('a client that trusts the generated CA is provisioned', async () => {
    const simulator = await simulate({ tls: 'generated' });
    expect(simulator.url).toMatch(/^mqtts:/);
    const { caPem = '' } = simulator;
    const recorded = await connected(`mqtts://localhost:${simulator.port}`, { username: 'provision', ca: caPem });
    recorded.client.publish(REQUEST, JSON.stringify({ ...KEYS, deviceName: 'cam' }), { qos: 1 });
    expect((await until(() => recorded.payloads[0])).text).toContain('SUCCESS');
  });

  test('a refused CONNECT gets its CONNACK before the close', async () => {
    const { url, caPem = '' } = await simulate({ tls: 'generated' });
    const recorded = await connected(url, { username: 'nobody', ca: caPem });
    await until(() => recorded.received.includes('close'));
    expect(recorded.received).toEqual(['connack:5', 'close']);
  });

  test('a client that does not know the CA refuses', async () => {
    const simulator = await simulate({ tls: 'generated' });
    const recorded = await connected(simulator.url, { username: 'provision' });
    expect(recorded.received).toEqual(['close']);
    expect(simulator.registry.counts.connects).toBe(0);
  });

  test('a given certificate is used', async () => {
    const ca = await issueAuthority();
    const { url } = await simulate({ tls: await issueCertificate({ ips: ['127.0.0.1'], ca }) });
    expect((await connected(url, { username: 'provision', ca: ca.cert })).received).toEqual(['connack:0']);
  });

  test("certificate and key that don't match: USAGE", async () => {
    const { cert } = await issueCertificate({ names: ['a'] });
    const { key } = await issueCertificate({ names: ['b'] });
    await expect(simulate({ tls: { cert, key } })).rejects.toMatchObject({ code: 'USAGE' });
  });

  test('a device connects with the certificate of its provisioning, but not with another one for its name', async () => {
    const { url, caPem = '', registry } = await simulate({ tls: 'generated' });
    const mine = await issueCertificate({ names: ['cam'] });
    const asking = await connected(url, { ca: caPem, username: 'provision' });
    const chosen = { credentialsType: 'X509_CERTIFICATE', hash: mine.cert };
    asking.client.publish(REQUEST, JSON.stringify({ ...KEYS, deviceName: 'cam', ...chosen }), { qos: 1 });
    await until(() => asking.payloads[0]);
    expect(registry.devices()).toMatchObject([{ name: 'cam', credentials: x509(mine) }]);
    expect((await connected(url, { ca: caPem, ...mine })).received).toEqual(['connack:0']);
    const stranger = await issueCertificate({ names: ['cam'] });
    expect((await connected(url, { ca: caPem, ...stranger })).received).toContain('connack:5');
  });

  test('with its certificate a device connects under any user name, even with the token of another device', async () => {
    const mine = await issueCertificate({ names: ['cam'] });
    const { url, caPem = '' } = await simulate({
      tls: 'generated',
      devices: [
        { name: 'cam', credentials: { type: 'X509_CERTIFICATE', certificate: mine.cert } },
        { name: 'token', credentials: TOKEN },
      ],
      onEvent: (event) => event.type === 'connack' && logins.push(event.device),
    });
    const logins: (string | undefined)[] = [];
    for (const login of [{}, { username: 'anybody', password: 'p' }, { username: 't' }, { clientId: 'c' }]) {
      expect((await connected(url, { ca: caPem, ...mine, ...login })).received).toContain('connack:0');
    }
    expect(logins).toEqual(['cam', 'cam', 'cam', 'cam']);
    // Without the certificate it is nobody.
    expect((await connected(url, { ca: caPem, clientId: 'cam' })).received).toContain('connack:2');
  });

  test('with a client certificate the server ignores the token', async () => {
    const { url, caPem = '' } = await simulate({ tls: 'generated', devices: [{ name: 'token', credentials: TOKEN }] });
    const any = await issueCertificate({ names: ['any'] });
    expect((await connected(url, { ca: caPem, username: 't' })).received).toEqual(['connack:0']);
    expect((await connected(url, { ca: caPem, username: 't', ...any })).received).toContain('connack:5');
    expect((await connected(url, { ca: caPem, username: 'provision', ...any })).received).toEqual(['connack:0']);
  });

  test('before 3.5 a certificate of no device ends the connection, even a provisioning session', async () => {
    const mine = await issueCertificate({ names: ['cam'] });
    const devices = [{ name: 'cam', credentials: x509(mine) }];
    const { url, caPem = '', registry } = await simulate({ tls: 'generated', devices, legacyCertificates: true });
    const stranger = await issueCertificate({ names: ['cam'] });
    expect((await connected(url, { ca: caPem, ...stranger, username: 'provision' })).received).toEqual(['close']);
    expect((await connected(url, { ca: caPem, ...stranger })).received).toEqual(['close']);
    expect(registry.counts.connects).toBe(0);
    expect((await connected(url, { ca: caPem, ...mine })).received).toEqual(['connack:0']);
    expect((await connected(url, { ca: caPem, username: 'provision' })).received).toEqual(['connack:0']);
  });

  test('an expired client certificate is refused', async () => {
    const { url, caPem = '', registry } = await simulate({ tls: 'generated' });
    const expired = await issueCertificate({ names: ['cam'], notBefore: inDays(-9), notAfter: inDays(-1) });
    registry.addDevice({ name: 'cam', credentials: x509(expired) });
    expect((await connected(url, { ca: caPem, ...expired })).received).toContain('connack:5');
  });
});

const TOKEN = { type: 'ACCESS_TOKEN', token: 't' } as const;
const x509 = ({ cert }: IssuedCertificate) =>
  ({ type: 'X509_CERTIFICATE', certificate: new X509Certificate(cert).raw.toString('base64') }) as const;

test('TLS clients on a plain port and plain clients on a TLS port do no harm', async () => {
  const simulator = await simulate({ tls: 'generated' });
  const plain = await connected(`mqtt://127.0.0.1:${simulator.port}`, { username: 'provision' });
  expect(plain.received).toEqual(['close']);
  const clear = await simulate();
  const secure = await connected(`mqtts://127.0.0.1:${clear.port}`, { username: 'provision' });
  expect(secure.received).toEqual(['close']);
  expect(await provision(clear, { ...KEYS, deviceName: 'cam' })).toMatchObject({ status: 'SUCCESS' });
});
