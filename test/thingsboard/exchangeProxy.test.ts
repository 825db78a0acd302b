/** An exchange through a proxy ends as one without a proxy, and leaves as little behind. */

import { once } from 'node:events';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readProxyUrl } from '../../src/config/proxy/proxyUrl.ts';
import type { ServerEndpoint } from '../../src/endpoint.ts';
import { issueAuthority, issueCertificate } from '../../src/simulator/certificate.ts';
import { exchange, type LoginEnd } from '../../src/thingsboard/exchange.ts';
import { openStream } from '../../src/thingsboard/openStream.ts';
import { standbyStream } from '../../src/thingsboard/standbyStream.ts';
import { TYPE, wait } from '../simulator/mqttClients.ts';
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
import { EXCHANGE_CASES, SHORT_MS, sendAndClose } from '../support/exchangeCases.ts';
import { startConnectProxy, startSocksProxy, type TestProxy } from '../support/proxies.ts';
import { answerBytes, connackBytes, payloadOf, startRawServer } from '../support/rawMqttServer.ts';
import { until } from '../support/until.ts';

const WAYS = [
  ['http', startConnectProxy],
  ['socks5h', startSocksProxy],
] as const;

function through(server: ServerEndpoint, scheme: string, { port }: TestProxy): ServerEndpoint {
  const proxy = readProxyUrl(`${scheme}://127.0.0.1:${port}`, 'the test');
  if ('problem' in proxy) throw new Error(proxy.problem);
  return { ...server, proxy };
}

const login = (server: ServerEndpoint): Promise<LoginEnd> =>
  exchange({ server, clientId: 'c', username: 'u', timeoutMs: 5000, signal: new AbortController().signal });

const ca = await issueAuthority();
const certificate = await issueCertificate({ names: ['localhost'], ips: ['127.0.0.1'], ca });
const YES = {
  onConnect: sendAnd(connackBytes()),
  onPublish: sendAnd(answerBytes(ANSWER_TOPIC, 'yes')),
};

function sendAnd(bytes: Buffer): (socket: { write(bytes: Buffer): unknown }) => void {
  return (socket) => void socket.write(bytes);
}

describe.each(WAYS)('an exchange through %s with a server that', (scheme, startProxy) => {
  // A proxy may notice the reset before it has opened the way.
  it.each(EXCHANGE_CASES.filter(({ when }) => when !== 'resets at once'))('$when', async ({ script, end, limit }) => {
    const before = heldResources();
    const proxy = await startProxy(onTestFinished);
    const server = await startRawServer(script);
    const to = through(plainServer(server.port), scheme, proxy);
    // A listener that is loaded for the first time may take longer than the limit.
    await import('../../src/thingsboard/proxyTunnel.ts');

    const ended = await ask(to, limit === undefined ? {} : { [limit]: SHORT_MS });

    expect(summaryOf(ended)).toEqual(end);
    await server.allClosed();
    expect(server.connections).toHaveLength(1);
    // A proxy may drop a question to a server that has closed the connection.
    expect(server.count(TYPE.PUBLISH)).toBeLessThanOrEqual(end.asked === false ? 0 : 1);
    await releasedTo(before);
  });

  it('refuses with CONNACK 5 and closes', async () => {
    const proxy = await startProxy(onTestFinished);
    const server = await startRawServer({ onConnect: sendAndClose(connackBytes(5)) });
    expect(await ask(through(plainServer(server.port), scheme, proxy))).toEqual({ kind: 'refused', returnCode: 5 });
  });

  it('has a certificate', async () => {
    const before = heldResources();
    const proxy = await startProxy(onTestFinished);
    const server = await startRawServer(YES, { tls: certificate });
    const stages: string[] = [];
    const to = through(tlsServer(server.port, ca.cert), scheme, proxy);
    const end = await ask(to, { onStage: (stage) => stages.push(stage) });
    expect(summaryOf(end)).toEqual({ kind: 'answer', text: 'yes' });
    expect(stages).toEqual(['secured', 'connected', 'asked']);
    await server.allClosed();
    await releasedTo(before);
  });

  it.each([
    [
      'has a certificate for another host',
      { tls: certificate, host: 'elsewhere.test' },
      'TLS_WRONG_HOST',
      /\(localhost/,
    ],
    ['has no TLS', { host: 'localhost' }, 'CONNECTION_LOST', /at the start of the TLS handshake/],
    [
      'demands a client certificate',
      { tls: { ...certificate, requestCert: true, rejectUnauthorized: true }, host: 'localhost' },
      'TLS_FAILED',
      /demands a client certificate/,
    ],
  ] as const)('%s, and names it', async (_when, { host, ...tls }, code, message) => {
    const before = heldResources();
    const proxy = await startProxy(onTestFinished, {
      names: { 'elsewhere.test': '127.0.0.1', localhost: '127.0.0.1' },
    });
    const server = await startRawServer({ onOpen: 'tls' in tls ? () => {} : closeAfterData }, tls);
    const end = await ask(through(tlsServer(server.port, ca.cert, host), scheme, proxy));
    const failure = failureIn(end);
    expect(failure).toMatchObject({ code, message: expect.stringMatching(message) });
    expect(failure.message).toContain(`${host}:${server.port} (through the proxy ${scheme}://127.0.0.1:${proxy.port})`);
    await releasedTo(before);
  });

  it('is silent in the TLS handshake', async () => {
    const before = heldResources();
    const proxy = await startProxy(onTestFinished);
    const server = await startRawServer({});
    const end = await ask(through(tlsServer(server.port, ca.cert), scheme, proxy), { timeoutMs: SHORT_MS });
    expect(summaryOf(end)).toEqual({ kind: 'failed', code: 'CONNECT_TIMEOUT', asked: false });
    await releasedTo(before);
  });

  it('is left by an abort, at any moment', async () => {
    const before = heldResources();
    const proxy = await startProxy(onTestFinished);
    const server = await startRawServer({});
    for (const ms of [0, 1, 2, 5, 10, 30]) {
      const controller = new AbortController();
      const ended = ask(through(plainServer(server.port), scheme, proxy), { signal: controller.signal });
      await wait(ms);
      controller.abort(new Error('stop'));
      await expect(ended).rejects.toThrow('stop');
    }
    await releasedTo(before);
  });

  it('is lost when the proxy ends', async () => {
    const before = heldResources();
    const proxy = await startProxy(onTestFinished);
    const server = await startRawServer({ onConnect: sendAnd(connackBytes()), onPublish: () => void proxy.kill() });
    const end = await ask(through(plainServer(server.port), scheme, proxy));
    expect(summaryOf(end)).toEqual({ kind: 'failed', code: 'CONNECTION_LOST', asked: true });
    await releasedTo(before);
  });

  it.each([false, true])('gets DISCONNECT after a login without a question (TLS: %s)', async (useSsl) => {
    const proxy = await startProxy(onTestFinished);
    const server = await startRawServer(YES, useSsl ? { tls: certificate } : {});
    const to = useSsl ? tlsServer(server.port, ca.cert) : plainServer(server.port);
    expect(await login(through(to, scheme, proxy))).toEqual({ kind: 'accepted' });
    await until(() => server.count(14) === 1, 'DISCONNECT');
  });

  it.each([false, true])('takes a question of a megabyte whole (TLS: %s)', async (useSsl) => {
    const payload = 'x'.repeat(1_000_000);
    const proxy = await startProxy(onTestFinished);
    const server = await startRawServer(YES, useSsl ? { tls: certificate } : {});
    const to = useSsl ? tlsServer(server.port, ca.cert) : plainServer(server.port);
    const question = { topic: 'q', payload, answerTopic: ANSWER_TOPIC, subscribe: false };
    expect(summaryOf(await ask(through(to, scheme, proxy), { question }))).toEqual({ kind: 'answer', text: 'yes' });
    const [asked] = server.connections[0]?.received.filter(({ type }) => type === TYPE.PUBLISH) ?? [];
    expect(asked === undefined ? '' : payloadOf(asked)).toBe(payload);
  });
});

const closeAfterData = (socket: { once(event: 'data', act: () => void): unknown; end(): unknown }): void =>
  void socket.once('data', () => socket.end());

describe('a standby connection through a proxy', () => {
  it('is handed over before the proxy has opened the way, and only for the same proxy', async () => {
    const [proxy, other] = [await startConnectProxy(onTestFinished), await startConnectProxy(onTestFinished)];
    const server = await startRawServer(YES);
    const standby = standbyStream();
    onTestFinished(() => standby.close());
    const to = through(plainServer(server.port), 'http', proxy);
    standby.open(to);
    expect(standby.take(plainServer(server.port))).toBeUndefined();
    standby.open(to);
    expect(standby.take(through(plainServer(server.port), 'http', other))).toBeUndefined();
    standby.open(to);
    const stream = standby.take(through(plainServer(server.port), 'http', proxy));
    expect(summaryOf(await ask(to, { stream }))).toEqual({ kind: 'answer', text: 'yes' });
    expect(other.targets).toEqual([]);
  });

  it('is dropped when the proxy closes it', async () => {
    const proxy = await startConnectProxy(onTestFinished);
    const server = await startRawServer({});
    const standby = standbyStream();
    const to = through(plainServer(server.port), 'http', proxy);
    standby.open(to);
    await until(() => server.connections.length > 0, 'the connection');
    await proxy.kill();
    await server.allClosed();
    await until(() => standby.take(to) === undefined, 'the close');
  });
});

it('passes what the server sends before it is asked', async () => {
  const proxy = await startConnectProxy(onTestFinished);
  const server = await startRawServer({ onOpen: (socket) => void socket.write('hello') });
  const { socket } = openStream(through(plainServer(server.port), 'http', proxy));
  onTestFinished(() => void socket.destroy());
  const [chunk] = await once(socket, 'data');
  expect(String(chunk)).toBe('hello');
});
