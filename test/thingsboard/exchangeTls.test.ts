/** TLS: the certificates and versions that an exchange accepts or refuses, and its messages. */

import type { TlsOptions } from 'node:tls';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { FAILURES } from '../../src/failures/catalogue.ts';
import { issueAuthority, issueCertificate } from '../../src/simulator/certificate.ts';
import { simulate } from '../simulator/mqttClients.ts';
import {
  ANSWER_TOPIC,
  ask,
  failureIn,
  heldResources,
  plainServer,
  releasedTo,
  summaryOf,
  tlsServer,
} from '../support/exchangeCalls.ts';
import { answerBytes, connackBytes, type RawServer, startRawServer } from '../support/rawMqttServer.ts';

const DAY_MS = 86_400_000;
const ago = (days: number): Date => new Date(Date.now() - days * DAY_MS);
const [ca, otherCa] = [await issueAuthority(), await issueAuthority()];
const LOCAL = { names: ['localhost'], ips: ['127.0.0.1', '::1'] };

function startTlsServer(tls: TlsOptions, host = '127.0.0.1'): Promise<RawServer> {
  return startRawServer(
    {
      onConnect: (socket) => void socket.write(connackBytes()),
      onPublish: (socket) => void socket.write(answerBytes(ANSWER_TOPIC, 'yes')),
    },
    { tls, host },
  );
}

describe('an exchange over TLS', () => {
  it.each(['127.0.0.1', '::1', 'localhost'])('with a certificate of the given CA for %s succeeds', async (host) => {
    const before = heldResources();
    const server = await startTlsServer(
      await issueCertificate({ ...LOCAL, ca }),
      host === 'localhost' ? '127.0.0.1' : host,
    );
    const end = await ask(tlsServer(server.port, ca.cert, host));
    expect(summaryOf(end)).toEqual({ kind: 'answer', text: 'yes' });
    await server.allClosed();
    await releasedTo(before);
  });

  it('reports the end of the handshake', async () => {
    const server = await startTlsServer(await issueCertificate({ ...LOCAL, ca }));
    const stages: string[] = [];
    await ask(tlsServer(server.port, ca.cert), { onStage: (stage) => stages.push(stage) });
    expect(stages).toEqual(['secured', 'connected', 'asked']);
  });

  it('accepts several certificates in one CA file', async () => {
    const server = await startTlsServer(await issueCertificate({ ...LOCAL, ca }));
    const end = await ask(tlsServer(server.port, `${otherCa.cert}${ca.cert}`));
    expect(end.kind).toBe('answer');
  });

  it.each([
    [
      'an unknown CA',
      { ...LOCAL, ca: otherCa },
      ca.cert,
      'TLS_UNKNOWN_CA',
      /^its certificate authority is unknown here \("Simulator CA \w+" is not in the test\)$/,
    ],
    [
      'a CA that the system does not know',
      { ...LOCAL, ca },
      undefined,
      'TLS_UNKNOWN_CA',
      /^its certificate authority is unknown here /,
    ],
    ['a self-signed certificate', LOCAL, ca.cert, 'TLS_UNKNOWN_CA', /^its certificate is self-signed$/],
    [
      'another host',
      { names: ['elsewhere.test'], ips: ['127.0.0.2'], ca },
      ca.cert,
      'TLS_WRONG_HOST',
      /^its certificate was issued for another host \(elsewhere\.test, 127\.0\.0\.2\)$/,
    ],
    [
      'an expired certificate',
      { ...LOCAL, ca, notBefore: ago(3), notAfter: ago(2) },
      ca.cert,
      'TLS_EXPIRED',
      /^its certificate has expired$/,
    ],
    [
      'a certificate that is valid from tomorrow',
      { ...LOCAL, ca, notBefore: ago(-1) },
      ca.cert,
      'TLS_NOT_YET_VALID',
      /^its certificate is not valid yet$/,
    ],
  ] as const)('refuses %s', async (_what, certificate, trusted, code, why) => {
    const before = heldResources();
    const server = await startTlsServer(await issueCertificate(certificate));
    const end = await ask(tlsServer(server.port, trusted));
    expect(summaryOf(end)).toEqual({ kind: 'failed', code, asked: false });
    const [head, said] = failureIn(end).message.split(/(?<=:\d+): /);
    expect(head).toBe(`No TLS connection to 127.0.0.1:${server.port}`);
    expect(said).toMatch(why);
    expect(FAILURES[code].retryable).toBe(code === 'TLS_NOT_YET_VALID');
    expect(server.connections.flatMap(({ received }) => received)).toEqual([]);
    await releasedTo(before);
  });

  it('verifies certificates even if the environment switches the verification off for Node', async () => {
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
    onTestFinished(() => void vi.unstubAllEnvs());
    const server = await startTlsServer(await issueCertificate({ ...LOCAL, ca: otherCa }));
    expect(summaryOf(await ask(tlsServer(server.port, ca.cert)))).toMatchObject({ code: 'TLS_UNKNOWN_CA' });
    expect(server.connections.flatMap(({ received }) => received)).toEqual([]);
  });

  it('refuses a certificate issued by a certificate that is not a CA', async () => {
    const leaf = await issueCertificate({ names: ['a.test'], ca });
    const issued = await issueCertificate({ ...LOCAL, ca: leaf });
    const server = await startTlsServer({ key: issued.key, cert: `${issued.cert}${leaf.cert}` });
    const end = await ask(tlsServer(server.port, ca.cert));
    expect(summaryOf(end)).toEqual({ kind: 'failed', code: 'TLS_FAILED', asked: false });
    // OpenSSL 3 has a separate number for this, and not every version of Node has a name for it.
    expect(failureIn(end).message).toMatch(
      /^No TLS connection to .*: its certificate can't be used: .+ \((INVALID_CA|UNSPECIFIED)\)$/,
    );
    expect(failureIn(end).hint).toContain('certificate');
  });

  it('refuses versions before TLS 1.2', async () => {
    const issued = await issueCertificate({ ...LOCAL, ca });
    const server = await startTlsServer({
      ...issued,
      minVersion: 'TLSv1',
      maxVersion: 'TLSv1.1',
      ciphers: 'DEFAULT@SECLEVEL=0',
    });
    const end = await ask(tlsServer(server.port, ca.cert));
    expect(summaryOf(end)).toEqual({ kind: 'failed', code: 'TLS_FAILED', asked: false });
    expect(failureIn(end).message).toMatch(/^127\.0\.0\.1:\d+ speaks neither TLS 1\.2 nor TLS 1\.3 /);
  });

  it.each(['TLSv1.2', 'TLSv1.3'] as const)('accepts %s', async (version) => {
    const issued = await issueCertificate({ ...LOCAL, ca });
    const server = await startTlsServer({ ...issued, minVersion: version, maxVersion: version });
    expect((await ask(tlsServer(server.port, ca.cert))).kind).toBe('answer');
  });

  it('sends the host name to the server, but never an IP address (RFC 6066, section 3)', async () => {
    const named: string[] = [];
    const SNICallback: TlsOptions['SNICallback'] = (name, done) => {
      named.push(name);
      done(null);
    };
    const server = await startTlsServer({ ...(await issueCertificate({ ...LOCAL, ca })), SNICallback });
    expect((await ask(tlsServer(server.port, ca.cert, '127.0.0.1'))).kind).toBe('answer');
    expect(named).toEqual([]);
    expect((await ask(tlsServer(server.port, ca.cert, 'localhost'))).kind).toBe('answer');
    expect(named).toEqual(['localhost']);
  });
});

describe('an exchange on the wrong kind of port', () => {
  const lost = { kind: 'failed', code: 'CONNECTION_LOST', asked: false };

  it('with TLS to a plain broker is closed, and the hint names use_ssl', async () => {
    const simulator = await simulate();
    const end = await ask(tlsServer(simulator.port, ca.cert));
    expect(summaryOf(end)).toEqual(lost);
    expect(failureIn(end).message).toBe(
      `127.0.0.1:${simulator.port} closed the connection at the start of the TLS handshake, as a port without TLS does`,
    );
    expect(failureIn(end).hint).toContain('use_ssl');
  });

  it('without TLS to a TLS port is closed, and the hint names use_ssl', async () => {
    const simulator = await simulate({ tls: 'generated' });
    const end = await ask(plainServer(simulator.port));
    expect(summaryOf(end)).toEqual(lost);
    expect(failureIn(end).message).toBe(`127.0.0.1:${simulator.port} closed the connection before it accepted it`);
    expect(failureIn(end).hint).toContain('use_ssl');
  });

  it('without TLS to a port that answers with a TLS alert', async () => {
    // RFC 8446, section 6: alert, TLS 1.2, 2 bytes: fatal, unexpected_message.
    const alert = Buffer.from([0x15, 3, 3, 0, 2, 2, 10]);
    const server = await startRawServer({ onConnect: (socket) => void socket.end(alert) });
    const end = await ask(plainServer(server.port));
    expect(summaryOf(end)).toEqual({ kind: 'failed', code: 'NOT_MQTT', asked: false });
    expect(failureIn(end).message).toBe(`127.0.0.1:${server.port} answers in TLS, but use_ssl is false`);
  });

  it('with TLS to a port that sends a plain-text greeting', async () => {
    const server = await startRawServer({ onOpen: (socket) => void socket.end('220 mail.test ESMTP\r\n') });
    const end = await ask(tlsServer(server.port, ca.cert));
    expect(summaryOf(end)).toEqual({ kind: 'failed', code: 'TLS_FAILED', asked: false });
  });

  it('with TLS to a port that sends nothing reaches its time limit, and closes', async () => {
    const before = heldResources();
    const server = await startRawServer({});
    const end = await ask(tlsServer(server.port, ca.cert), { timeoutMs: 200 });
    expect(summaryOf(end)).toEqual({ kind: 'failed', code: 'CONNECT_TIMEOUT', asked: false });
    await server.allClosed();
    await releasedTo(before);
  });
});
