import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { openSession, SESSION_LIMITS, type SessionLimits } from '../../src/client/thingsboardSession.ts';
import type { ThingsboardSettings } from '../../src/config/thermal/clientConfig.ts';
import { credentialsOf } from '../../src/config/thermal/loginCredentials.ts';
import { Failure } from '../../src/failures/failure.ts';
import { accessToken } from '../support/accessToken.ts';
import { until } from '../support/until.ts';
import { configFor, startBroker, startTcp, TOKEN } from './testBroker.ts';

const SHORT: SessionLimits = { connectMs: 150, ackMs: 100, closeMs: 100 };
const TELEMETRY = 'v1/devices/me/telemetry';
const forever = new AbortController().signal;

const closers: Array<() => Promise<void>> = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
  await until(() => process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length === 0);
});

async function broker(options: Parameters<typeof startBroker>[0] = {}) {
  const started = await startBroker(options);
  closers.push(started.close);
  return started;
}

async function tcp(onConnection: Parameters<typeof startTcp>[0]) {
  const started = await startTcp(onConnection);
  closers.push(started.close);
  return started;
}

async function open(
  port: number,
  thingsboard: Partial<ThingsboardSettings> = {},
  limits: SessionLimits = SESSION_LIMITS,
  signal: AbortSignal = forever,
) {
  const settings = configFor(port, { thingsboard }).thingsboard;
  const session = await openSession({
    settings,
    credentials: await credentialsOf(settings.login, '/'),
    ca: undefined,
    limits,
    signal,
  });
  closers.push(session.close);
  return session;
}

const failureOf = (attempt: Promise<unknown>): Promise<unknown> =>
  attempt.then(
    () => new Error('it succeeded'),
    (error: unknown) => error,
  );

describe('openSession', () => {
  it('connects with the access token as user name and the device id as client id', async () => {
    const { port, clientIds } = await broker();
    const session = await open(port);
    expect(session.server).toBe(`127.0.0.1:${port}`);
    expect(clientIds).toEqual(['camera-1']);
  });

  it('is refused with a wrong token, and no message shows the token', async () => {
    const { port, connections } = await broker();
    const failure = await failureOf(open(port, { login: accessToken('wrong-token') }));
    expect(failure).toMatchObject({ code: 'CREDENTIALS_REFUSED' });
    expect(failure).toHaveProperty('message', expect.stringContaining(`127.0.0.1:${port}`));
    expect(failure).toHaveProperty('hint', expect.stringContaining('provision the device again'));
    expect(JSON.stringify([failure, String(failure)])).not.toContain('wrong-token');
    await until(async () => (await connections()) === 0);
  });

  it.each([
    [3, 'SERVER_UNAVAILABLE'],
    [4, 'CREDENTIALS_REFUSED'],
    [5, 'CREDENTIALS_REFUSED'],
  ] as const)('reports CONNACK %i as %s', async (returnCode, code) => {
    const { port } = await broker({ returnCode });
    expect(await failureOf(open(port))).toMatchObject({ code });
  });

  it.each([
    [1, 'NOT_THINGSBOARD'],
    [2, 'CONNECTION_NOT_ACCEPTED'],
    [99, 'CONNECTION_NOT_ACCEPTED'],
  ] as const)('reports a raw CONNACK %i as %s', async (returnCode, code) => {
    const { port } = await tcp((socket) =>
      socket.once('data', () => socket.write(Buffer.from([0x20, 2, 0, returnCode]))),
    );
    expect(await failureOf(open(port))).toMatchObject({ code });
  });

  it('reports a port without a listener', async () => {
    const { port, close } = await startTcp(() => {});
    await close();
    expect(await failureOf(open(port))).toMatchObject({
      code: 'CONNECTION_REFUSED',
      hint: expect.stringContaining('thermal_config.json'),
    });
  });

  it('reports an unknown host name', async () => {
    expect(await failureOf(open(1883, { host: 'no-such-host.invalid' }))).toMatchObject({ code: 'HOST_NOT_FOUND' });
  });

  it('fails with a server that accepts the connection and sends nothing', async () => {
    const { port, connections } = await tcp(() => {});
    expect(await failureOf(open(port, {}, SHORT))).toMatchObject({ code: 'ANSWER_TIMEOUT' });
    await until(() => connections() === 0);
  });

  it('reports a server that does not speak MQTT', async () => {
    const { port } = await tcp((socket) => socket.write('SSH-2.0-OpenSSH_9.2p1\r\n'));
    expect(await failureOf(open(port))).toMatchObject({ code: 'NOT_MQTT' });
  });

  it('reports a server that closes at once', async () => {
    const { port } = await tcp((socket) => socket.end());
    expect(await failureOf(open(port))).toMatchObject({ code: 'CONNECTION_LOST' });
  });

  it('reports TLS to a port without TLS', async () => {
    const { port } = await tcp((socket) => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'));
    expect(await failureOf(open(port, { useSsl: true }))).toMatchObject({ code: 'TLS_FAILED' });
  });

  it('closes the connection to a server that sends an endless packet', async () => {
    const { port, connections } = await tcp((socket) => {
      // CONNACK, then a PUBLISH of 256 MiB.
      socket.write(Buffer.from([0x20, 2, 0, 0, 0x30, 0xff, 0xff, 0xff, 0x7f]));
      const timer = setInterval(() => socket.write(Buffer.alloc(64 * 1024)), 1);
      socket.on('close', () => clearInterval(timer));
    });
    const session = await open(port);
    expect(await session.ended).toMatchObject({ code: 'NOT_MQTT' });
    await until(() => connections() === 0);
  });

  it('ends at once on abort, before and during the connection attempt', async () => {
    const { port, connections } = await tcp(() => {});
    const reason = new Error('stop');
    expect(await failureOf(open(port, {}, SESSION_LIMITS, AbortSignal.abort(reason)))).toBe(reason);
    expect(connections()).toBe(0);
    const stopping = new AbortController();
    const attempt = failureOf(open(port, {}, SESSION_LIMITS, stopping.signal));
    await until(() => connections() === 1);
    stopping.abort(reason);
    expect(await attempt).toBe(reason);
    await until(() => connections() === 0);
  });
});

describe('an open session', () => {
  it.each([
    [0, 0],
    [1, 1],
    [2, 1],
  ])('for qos_level %i publishes with QoS %i', async (qosLevel, qos) => {
    const { port, receives } = await broker();
    const session = await open(port, { qosLevel });
    await session.publish(TELEMETRY, '{"a":1}', forever);
    expect(await receives(1)).toEqual([{ topic: TELEMETRY, payload: { a: 1 }, qos }]);
  });

  it('resolves a publication only after PUBACK', async () => {
    const { port, received } = await broker({ answer: () => 'silence' });
    const session = await open(port, {}, SHORT);
    const startedAt = performance.now();
    expect(await failureOf(session.publish(TELEMETRY, '{}', forever))).toMatchObject({
      code: 'ANSWER_TIMEOUT',
      message: expect.stringContaining('PUBACK'),
    });
    expect(performance.now() - startedAt).toBeGreaterThan(90);
    expect(received).toHaveLength(1);
  });

  it('fails current and later publications when the server closes', async () => {
    const { port } = await broker({ answer: () => 'close' });
    const session = await open(port);
    const failures = await Promise.all([
      failureOf(session.publish(TELEMETRY, '{}', forever)),
      failureOf(session.publish(TELEMETRY, '{}', forever)),
    ]);
    expect(failures.map((failure) => failure instanceof Failure && failure.code)).toEqual([
      'CONNECTION_LOST',
      'CONNECTION_LOST',
    ]);
    expect(await session.ended).toMatchObject({ code: 'CONNECTION_LOST' });
    expect(await failureOf(session.publish(TELEMETRY, '{}', forever))).toMatchObject({ code: 'CONNECTION_LOST' });
  });

  it.each(['sent a message', 'were idle'])(
    'that the server ends early has a hint of its own, as if it %s',
    async (when) => {
      const { port, closeConnections } = await broker({ answer: () => 'close' });
      const session = await open(port);
      if (when === 'were idle') closeConnections();
      else await failureOf(session.publish(TELEMETRY, '{}', forever));
      const ended = await session.ended;
      expect(ended.code).toBe('CONNECTION_LOST');
      expect(ended.message).toMatch(/closed the connection \d+(?:\.\d)? s after it had accepted it$/);
      expect(ended.hint).toMatch(
        /another client uses the same credentials .* or a rate limit of the tenant or the device/,
      );
    },
  );

  it('that lasted longer has the usual hint', async () => {
    const { port, closeConnections } = await broker();
    const session = await open(port);
    const now = vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 31_000);
    onTestFinished(() => now.mockRestore());
    closeConnections();
    expect((await session.ended).message).toMatch(/(?:closed the connection|was lost: .*)$/);
    expect((await session.ended).hint).toMatch(/^The client tries again by itself\. If that repeats/);
  });

  it('notices a server that no longer answers pings, even while it sends publications with QoS 0', async () => {
    const { port } = await tcp((socket) => socket.once('data', () => socket.write(Buffer.from([0x20, 2, 0, 0]))));
    const session = await open(port, { keepAliveSeconds: 1, qosLevel: 0 });
    const publishing = setInterval(() => session.publish(TELEMETRY, '{}', forever).catch(() => {}), 100);
    try {
      expect(await session.ended).toMatchObject({ code: 'ANSWER_TIMEOUT', message: expect.stringContaining('ping') });
    } finally {
      clearInterval(publishing);
    }
  }, 5_000);

  it('ends a publication on abort', async () => {
    const { port } = await broker({ answer: () => 'silence' });
    const session = await open(port, {}, SHORT);
    const stopping = new AbortController();
    const publication = failureOf(session.publish(TELEMETRY, '{}', stopping.signal));
    stopping.abort(new Error('stop'));
    expect(await publication).toMatchObject({ message: 'stop' });
  });

  it('sends DISCONNECT on close', async () => {
    const bytes: number[] = [];
    const { port, connections } = await tcp((socket) => {
      socket.on('data', (chunk) => bytes.push(...chunk));
      socket.once('data', () => socket.write(Buffer.from([0x20, 2, 0, 0])));
    });
    const session = await open(port);
    await Promise.all([session.close(), session.close()]);
    expect(bytes.slice(-2)).toEqual([0xe0, 0]);
    expect(await session.ended).toBeInstanceOf(Failure);
    await until(() => connections() === 0);
  });

  it('closes within its limit even if a publication is unanswered', async () => {
    const { port, connections } = await broker({ answer: () => 'silence' });
    const session = await open(port, {}, { ...SESSION_LIMITS, closeMs: 100 });
    const publication = failureOf(session.publish(TELEMETRY, '{}', forever));
    const startedAt = performance.now();
    await session.close();
    expect(performance.now() - startedAt).toBeLessThan(400);
    expect(await publication).toMatchObject({ code: 'CONNECTION_LOST' });
    await until(async () => (await connections()) === 0);
  });

  it('keeps no listener for a publication that has ended', async () => {
    const { port } = await broker();
    const session = await open(port);
    const stopping = new AbortController();
    let added = 0;
    const signal = new Proxy(stopping.signal, {
      get(target, key) {
        if (key === 'addEventListener') added += 1;
        if (key === 'removeEventListener') added -= 1;
        const value: unknown = Reflect.get(target, key, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    for (let round = 0; round < 50; round += 1) await session.publish(TELEMETRY, '{}', signal);
    expect(added).toBe(0);
  });

  it('never shows the token', async () => {
    const { port } = await broker();
    const session = await open(port);
    await session.close();
    expect(JSON.stringify([session, await session.ended])).not.toContain(TOKEN);
  });
});
