/** An exchange with hosts that don't listen, are not found, are not reachable, or have several addresses. */

import dns from 'node:dns';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { attemptLogin } from '../../src/doctor/loginAttempt.ts';
import { openStream } from '../../src/thingsboard/openStream.ts';
import { TYPE } from '../simulator/mqttClients.ts';
import { startBlackHole } from '../support/blackHole.ts';
import {
  ANSWER_TOPIC,
  ask,
  failureIn,
  heldResources,
  plainServer,
  releasedTo,
  summaryOf,
} from '../support/exchangeCalls.ts';
import { answerBytes, connackBytes, startRawServer } from '../support/rawMqttServer.ts';
import { until } from '../support/until.ts';

const failed = (code: string) => ({ kind: 'failed', code, asked: false });

/** A port of 127.0.0.1 without a listener. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no TCP address');
  return address.port;
}

/**
 * Resolves a name to these addresses. Only name resolution is replaced, because a test must not change the machine's.
 */
function resolveTo(name: string, addresses: readonly string[]): void {
  const found = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
  const original = dns.lookup;
  const lookup = vi.spyOn(dns, 'lookup').mockImplementation(((host: string, options: object, done: unknown) => {
    if (host !== name || typeof done !== 'function') return Reflect.apply(original, dns, [host, options, done]);
    process.nextTick(done, null, found);
  }) as typeof dns.lookup);
  onTestFinished(() => lookup.mockRestore());
}

const answering = {
  onConnect: (socket: { write(bytes: Uint8Array): void }) => socket.write(connackBytes()),
  onPublish: (socket: { write(bytes: Uint8Array): void }) => socket.write(answerBytes(ANSWER_TOPIC, 'yes')),
};

describe('an exchange with', () => {
  it('a port without a listener', async () => {
    const before = heldResources();
    const port = await freePort();
    const end = await ask(plainServer(port));
    expect(summaryOf(end)).toEqual(failed('CONNECTION_REFUSED'));
    expect(failureIn(end).message).toBe(
      `No connection to 127.0.0.1:${port}: nothing listens on that port (ECONNREFUSED)`,
    );
    await releasedTo(before);
  });

  it('a host name that does not exist', async () => {
    const before = heldResources();
    const end = await ask(plainServer(1883, 'no-such-host.invalid'));
    expect(summaryOf(end)).toEqual(failed('HOST_NOT_FOUND'));
    expect(failureIn(end).message).toMatch(
      /^No connection to no-such-host\.invalid:1883: .* \((ENOTFOUND|EAI_AGAIN)\)$/,
    );
    await releasedTo(before);
  });

  it('a black hole, which drops every packet', async () => {
    const port = await startBlackHole();
    const before = heldResources();
    const end = await ask(plainServer(port), { timeoutMs: 150 });
    expect(summaryOf(end)).toEqual(failed('CONNECT_TIMEOUT'));
    expect(failureIn(end).message).toBe(`No connection to 127.0.0.1:${port} within 0.2 s: the host does not answer`);
    await releasedTo(before);
  });

  it('a server with an IPv6 address, which messages show in brackets', async () => {
    const server = await startRawServer(answering, { host: '::1' });
    expect(summaryOf(await ask(plainServer(server.port, '::1')))).toEqual({ kind: 'answer', text: 'yes' });
    const unused = await startRawServer({ onOpen: (socket) => void socket.end() }, { host: '::1' });
    const end = await ask(plainServer(unused.port, '::1'));
    expect(failureIn(end).message).toContain(`[::1]:${unused.port} `);
  });

  it('a host with two addresses, the first one unreachable', async () => {
    const server = await startRawServer(answering);
    resolveTo('two.test', ['127.0.0.2', '127.0.0.1']);
    expect(summaryOf(await ask(plainServer(server.port, 'two.test')))).toEqual({ kind: 'answer', text: 'yes' });
    expect(server.count(TYPE.PUBLISH)).toBe(1);
  });

  it('a host with an IPv6 and an IPv4 address, the first one unreachable', async () => {
    const server = await startRawServer(answering);
    resolveTo('dual.test', ['::1', '127.0.0.1']);
    expect(summaryOf(await ask(plainServer(server.port, 'dual.test')))).toEqual({ kind: 'answer', text: 'yes' });
  });

  it.each(['without TLS', 'with TLS'])('a host with two addresses %s, and waits 3 s for the first one', async (tls) => {
    const port = await startBlackHole();
    // Nothing listens on the second address: without the wait the exchange would end with CONNECTION_REFUSED.
    resolveTo('slow.test', ['127.0.0.1', '127.0.0.2']);
    const server = { ...plainServer(port, 'slow.test'), useSsl: tls === 'with TLS' };
    expect(summaryOf(await ask(server, { timeoutMs: 600 }))).toEqual(failed('CONNECT_TIMEOUT'));
    const step = await attemptLogin(server, 600).opened;
    expect('failure' in step && step.failure.code).toBe('CONNECT_TIMEOUT');
  });

  it('a host with two unreachable addresses', async () => {
    const before = heldResources();
    const port = await freePort();
    resolveTo('dead.test', ['127.0.0.2', '127.0.0.1']);
    const end = await ask(plainServer(port, 'dead.test'));
    expect(summaryOf(end)).toEqual(failed('CONNECTION_REFUSED'));
    await releasedTo(before);
  });
});

describe('an exchange that is aborted', () => {
  const reason = new Error('enough');

  it('before its start opens no connection', async () => {
    const server = await startRawServer({});
    expect(() => ask(plainServer(server.port), { signal: AbortSignal.abort(reason) })).toThrow(reason);
    expect(server.connections).toHaveLength(0);
  });

  it('before its start closes the given connection', async () => {
    const server = await startRawServer({});
    const stream = openStream(plainServer(server.port));
    await until(() => server.connections.length > 0, 'the connection');
    expect(() => ask(plainServer(server.port), { stream, signal: AbortSignal.abort(reason) })).toThrow(reason);
    await server.allClosed();
  });

  it('while the host name is looked up', async () => {
    const before = heldResources();
    const controller = new AbortController();
    const asked = ask(plainServer(1883, 'no-such-host.invalid'), { signal: controller.signal });
    controller.abort(reason);
    await expect(asked).rejects.toBe(reason);
    await releasedTo(before);
  });

  it('while it connects', async () => {
    const port = await startBlackHole();
    const before = heldResources();
    const controller = new AbortController();
    const asked = ask(plainServer(port), { signal: controller.signal });
    setImmediate(() => controller.abort(reason));
    await expect(asked).rejects.toBe(reason);
    await releasedTo(before);
  });

  const stages = {
    'when the connection is open': 'onOpen',
    'when CONNECT has arrived': 'onConnect',
    'when PUBLISH has arrived': 'onPublish',
  } as const;
  it.each(Object.entries(stages))('%s', async (_when, stage) => {
    const before = heldResources();
    const controller = new AbortController();
    const server = await startRawServer({ ...answering, [stage]: () => controller.abort(reason) });
    await expect(ask(plainServer(server.port), { signal: controller.signal })).rejects.toBe(reason);
    await server.allClosed();
    expect(server.count(TYPE.PUBLISH)).toBe(stage === 'onPublish' ? 1 : 0);
    await releasedTo(before);
  });

  it.each(['connected', 'asked'] as const)('in the callback for stage "%s"', async (at) => {
    const before = heldResources();
    const controller = new AbortController();
    const server = await startRawServer(answering);
    const onStage = (stage: string): void => {
      if (stage === at) controller.abort(reason);
    };
    const options = { signal: controller.signal, onStage, answerTimeoutMs: 60_000 };
    await expect(ask(plainServer(server.port), options)).rejects.toBe(reason);
    await server.allClosed();
    await releasedTo(before);
  });

  it('after its end has no effect', async () => {
    const controller = new AbortController();
    const server = await startRawServer(answering);
    const end = await ask(plainServer(server.port), { signal: controller.signal });
    controller.abort(reason);
    expect(end.kind).toBe('answer');
  });

  it('while the server answers ends without the answer', async () => {
    const controller = new AbortController();
    const server = await startRawServer({
      ...answering,
      onPublish(socket) {
        answering.onPublish(socket);
        controller.abort(reason);
      },
    });
    await expect(ask(plainServer(server.port), { signal: controller.signal })).rejects.toBe(reason);
  });
});
