import { describe, expect, test } from 'vitest';
import type { SimulatorEvent } from '../../src/simulator/events.ts';
import { RateLimiter } from '../../src/simulator/rateLimit.ts';
import { until } from '../support/until.ts';
import {
  connected,
  connectPacket,
  openDevice,
  openRaw,
  type RecordedClient,
  simulate,
  TYPE,
  wait,
} from './mqttClients.ts';

const TELEMETRY = 'v1/devices/me/telemetry';
const ATTRIBUTES = 'v1/devices/me/attributes';
const cam = { name: 'cam', credentials: { type: 'ACCESS_TOKEN', token: 'cam-token' } } as const;
const other = { name: 'other', credentials: { type: 'ACCESS_TOKEN', token: 'other-token' } } as const;

const basic = (name: string, credentials: { clientId?: string; userName?: string; password?: string }) =>
  ({ name, credentials: { type: 'MQTT_BASIC', ...credentials } }) as const;

const closed = (recorded: RecordedClient): Promise<unknown> => until(() => recorded.received.includes('close'));

/** Packets that a raw client receives until the server closes. */
async function refusal(port: number, connect: Parameters<typeof connectPacket>[0]): Promise<number[]> {
  const raw = openRaw(port);
  raw.socket.write(connectPacket(connect));
  await until(raw.closed, 'the close');
  return [...raw.bytes()];
}

describe('CONNACK', () => {
  test('a token as user name is accepted', async () => {
    const simulator = await simulate({ devices: [cam] });
    expect((await openDevice(simulator, 'cam-token')).received).toEqual(['connack:0']);
  });

  test.each([
    ['an unknown token', { username: 'unknown' }, 5],
    ['an unknown user name and password', { username: 'u', password: 'p' }, 5],
    ['no user name, an unknown client id', { clientId: 'unknown' }, 2],
    ['no user name, a blank client id', { clientId: ' ' }, 5],
    ['no user name, no client id', { clientId: '' }, 5],
  ])('%s: refused with %3$i, then closed', async (_what, connect, code) => {
    const simulator = await simulate({ devices: [cam] });
    expect(await refusal(simulator.port, connect)).toEqual([0x20, 2, 0, code]);
    expect(simulator.registry.counts).toMatchObject({ refusedConnects: 1, deviceConnects: 0 });
  });

  test.each([
    ['only a client id', { clientId: 'c' }, { clientId: 'c' }, { clientId: 'd' }],
    ['only a user name', { userName: 'u' }, { username: 'u' }, { username: 'v' }],
    ['user name and password', { userName: 'u', password: 'p' }, { username: 'u', password: 'p' }, { username: 'u' }],
    [
      'client id and user name',
      { clientId: 'c', userName: 'u' },
      { clientId: 'c', username: 'u' },
      { clientId: 'd', username: 'u' },
    ],
    [
      'all three',
      { clientId: 'c', userName: 'u', password: 'p' },
      { clientId: 'c', username: 'u', password: 'p' },
      { clientId: 'c', username: 'u', password: 'q' },
    ],
  ])('MQTT_BASIC with %s', async (_what, credentials, right, wrong) => {
    const simulator = await simulate({ devices: [basic('cam', credentials)] });
    expect((await connected(simulator.url, right)).received).toEqual(['connack:0']);
    expect((await refusal(simulator.port, wrong))[0]).toBe(0x20);
    expect(simulator.registry.counts).toMatchObject({ deviceConnects: 1, refusedConnects: 1 });
  });
});

describe('one session per device', () => {
  test('a new session closes the old one, after its own CONNACK', async () => {
    const events: SimulatorEvent[] = [];
    const simulator = await simulate({ devices: [cam], onEvent: (event) => events.push(event) });
    const first = await openDevice(simulator, 'cam-token', { clientId: 'a' });
    const second = await openDevice(simulator, 'cam-token', { clientId: 'b' });
    await closed(first);
    // The client may notice the end of its connection before the server does.
    await until(() => events.some(({ type }) => type === 'close'));
    expect(events.map(({ session, type }) => `${session} ${type}`)).toEqual([
      '1 connect',
      '1 connack',
      '2 connect',
      '2 connack',
      '1 close',
    ]);
    await second.client.publishAsync(TELEMETRY, '{"t":1}', { qos: 1 });
    expect(second.received).toEqual(['connack:0', 'puback']);
  });

  test('another device with the same client id closes no session', async () => {
    const simulator = await simulate({ devices: [cam, other] });
    const first = await openDevice(simulator, 'cam-token', { clientId: 'same' });
    const second = await openDevice(simulator, 'other-token', { clientId: 'same' });
    await first.client.publishAsync(TELEMETRY, '{"t":1}', { qos: 1 });
    await second.client.publishAsync(TELEMETRY, '{"t":2}', { qos: 1 });
    expect(simulator.registry.telemetry('cam')).toEqual([{ t: 1 }]);
    expect(simulator.registry.telemetry('other')).toEqual([{ t: 2 }]);
  });

  test('deleting the device closes its session, and its token is refused', async () => {
    const simulator = await simulate({ devices: [cam] });
    const recorded = await openDevice(simulator, 'cam-token');
    expect(simulator.registry.deleteDevice('cam')).toBe(true);
    await closed(recorded);
    expect((await openDevice(simulator, 'cam-token')).received).toContain('connack:5');
    expect(simulator.registry.deleteDevice('cam')).toBe(false);
  });

  test('changing its token closes its session; only the new one is accepted', async () => {
    const simulator = await simulate({ devices: [cam] });
    const recorded = await openDevice(simulator, 'cam-token');
    simulator.registry.setToken('cam', 'new-token');
    await closed(recorded);
    expect((await openDevice(simulator, 'cam-token')).received).toContain('connack:5');
    expect((await openDevice(simulator, 'new-token')).received).toEqual(['connack:0']);
  });
});

describe('attribute request', () => {
  const ask = async (recorded: RecordedClient, payload: object, id = 1): Promise<unknown> => {
    const before = recorded.payloads.length;
    recorded.client.publish(`${ATTRIBUTES}/request/${id}`, JSON.stringify(payload), { qos: 1 });
    const { topic, text } = await until(() => recorded.payloads[before]);
    expect(topic).toBe(`${ATTRIBUTES}/response/${id}`);
    return JSON.parse(text);
  };

  test('unknown keys are answered with {}, without a subscription, after PUBACK', async () => {
    const simulator = await simulate({ devices: [cam] });
    const recorded = await openDevice(simulator, 'cam-token');
    expect(await ask(recorded, { clientKeys: 'x' })).toEqual({});
    expect(recorded.received).toEqual(['connack:0', 'puback', `publish:${ATTRIBUTES}/response/1`]);
    expect(recorded.payloads[0]?.qos).toBe(1);
    expect(simulator.registry.counts.attributeRequests).toBe(1);
  });

  test('returns the published attributes and those that the operator set', async () => {
    const simulator = await simulate({ devices: [cam] });
    const recorded = await openDevice(simulator, 'cam-token');
    await recorded.client.publishAsync(ATTRIBUTES, '{"x":1,"y":2}', { qos: 1 });
    expect(simulator.pushAttributes('cam', { s: true })).toBe(false);
    expect(await ask(recorded, { clientKeys: 'x,z' }, 2)).toEqual({ client: { x: 1 } });
    expect(await ask(recorded, { sharedKeys: 's' }, 3)).toEqual({ shared: { s: true } });
    expect(await ask(recorded, {}, 4)).toEqual({ client: { x: 1, y: 2 }, shared: { s: true } });
    expect(simulator.registry.attributes('cam')).toEqual({ x: 1, y: 2 });
  });

  test('is answered with QoS 0 to a subscription of QoS 0', async () => {
    const simulator = await simulate({ devices: [cam] });
    const recorded = await openDevice(simulator, 'cam-token');
    await recorded.client.subscribeAsync(`${ATTRIBUTES}/response/+`, { qos: 0 });
    await ask(recorded, { clientKeys: 'x' });
    expect(recorded.payloads[0]?.qos).toBe(0);
  });

  test.each([
    ['request/1', 'no JSON'],
    ['request/x', '{}'],
  ])('%s with %s: close without PUBACK', async (topic, payload) => {
    const simulator = await simulate({ devices: [cam] });
    const recorded = await openDevice(simulator, 'cam-token');
    recorded.client.publish(`${ATTRIBUTES}/${topic}`, payload, { qos: 1 });
    await closed(recorded);
    expect(recorded.received).toEqual(['connack:0', 'close']);
  });
});

describe('telemetry', () => {
  test.each([
    '{"t":21.5}',
    '{"t":{"deep":[1]}}',
    '{"ts":1700000000000,"values":{"t":1}}',
    '[{"t":1},{"ts":1700000000000,"values":{"t":1}}]',
    '{"t":null}',
  ])('%s gets PUBACK and is stored', async (payload) => {
    const simulator = await simulate({ devices: [cam] });
    const recorded = await openDevice(simulator, 'cam-token');
    await recorded.client.publishAsync(TELEMETRY, payload, { qos: 1 });
    expect(simulator.registry.telemetry('cam')).toEqual([JSON.parse(payload)]);
  });

  test.each(['', 'nothing', '1', 'null', '[1]', '{"ts":"now","values":{}}', '{"ts":1,"values":3}'])(
    '%s: close without PUBACK',
    async (payload) => {
      const simulator = await simulate({ devices: [cam] });
      const recorded = await openDevice(simulator, 'cam-token');
      recorded.client.publish(TELEMETRY, payload, { qos: 1 });
      await closed(recorded);
      expect(recorded.received).toEqual(['connack:0', 'close']);
      expect(simulator.registry.telemetry('cam')).toEqual([]);
    },
  );

  test('[] is never acknowledged', async () => {
    const simulator = await simulate({ devices: [cam] });
    const recorded = await openDevice(simulator, 'cam-token');
    recorded.client.publish(TELEMETRY, '[]', { qos: 1 });
    await recorded.client.publishAsync(TELEMETRY, '{"t":1}', { qos: 1 });
    await wait(50);
    expect(recorded.received).toEqual(['connack:0', 'puback']);
  });

  test('bad attributes: close without PUBACK', async () => {
    const simulator = await simulate({ devices: [cam] });
    const recorded = await openDevice(simulator, 'cam-token');
    recorded.client.publish(ATTRIBUTES, '[]', { qos: 1 });
    await closed(recorded);
    expect(recorded.received).toEqual(['connack:0', 'close']);
  });
});

describe('subscriptions', () => {
  test.each([
    [ATTRIBUTES, 'suback:1'],
    [`${ATTRIBUTES}/response/+`, 'suback:1'],
    ['v1/devices/me/rpc/request/+', 'suback:1'],
    ['v1/devices/me/rpc/response/+', 'suback:1'],
    [TELEMETRY, 'suback:128'],
    [`${ATTRIBUTES}/#`, 'suback:128'],
    ['#', 'suback:128'],
    ['/provision/response', 'suback:128'],
  ])('%s is answered with %s', async (filter, answer) => {
    const simulator = await simulate({ devices: [cam] });
    const recorded = await openDevice(simulator, 'cam-token');
    recorded.client.subscribe(filter, { qos: 1 });
    await until(() => recorded.received[1]);
    expect(recorded.received[1]).toBe(answer);
  });

  test('client attributes, even retained ones, reach no client', async () => {
    const simulator = await simulate({ devices: [cam, other] });
    const [first, second] = [await openDevice(simulator, 'cam-token'), await openDevice(simulator, 'other-token')];
    await first.client.subscribeAsync(ATTRIBUTES, { qos: 1 });
    await second.client.subscribeAsync(ATTRIBUTES, { qos: 1 });
    await first.client.publishAsync(ATTRIBUTES, '{"x":1}', { qos: 1, retain: true });
    await second.client.unsubscribeAsync(ATTRIBUTES);
    await second.client.subscribeAsync(ATTRIBUTES, { qos: 1 });
    await wait(50);
    expect([...first.payloads, ...second.payloads]).toEqual([]);
  });

  test('a will is not published', async () => {
    const simulator = await simulate({ devices: [cam, other] });
    const watcher = await openDevice(simulator, 'other-token');
    await watcher.client.subscribeAsync(ATTRIBUTES, { qos: 1 });
    const raw = openRaw(simulator.port);
    raw.socket.write(connectPacket({ username: 'cam-token', will: { topic: ATTRIBUTES, payload: '{"w":1}' } }));
    await until(() => raw.types().includes(TYPE.CONNACK));
    raw.socket.destroy();
    await wait(80);
    expect(watcher.payloads).toEqual([]);
    expect(simulator.registry.attributes('cam')).toEqual({});
  });

  test('shared attributes and RPC requests reach the device that has subscribed', async () => {
    const events: SimulatorEvent[] = [];
    const simulator = await simulate({ devices: [cam], onEvent: (event) => events.push(event) });
    const recorded = await openDevice(simulator, 'cam-token');
    expect(simulator.sendRpc('cam', 'reboot', {})).toBeUndefined();
    await recorded.client.subscribeAsync([ATTRIBUTES, 'v1/devices/me/rpc/request/+'], { qos: 1 });
    expect(simulator.pushAttributes('cam', { interval: 5 })).toBe(true);
    expect(simulator.sendRpc('cam', 'reboot', { in: 1 })).toBe(1);
    await until(() => recorded.payloads.length === 2);
    expect(recorded.payloads.map(({ topic, text }) => `${topic} ${text}`)).toEqual([
      `${ATTRIBUTES} {"interval":5}`,
      'v1/devices/me/rpc/request/1 {"method":"reboot","params":{"in":1}}',
    ]);
    await recorded.client.publishAsync('v1/devices/me/rpc/response/1', '{"ok":true}', { qos: 1 });
    expect(events).toContainEqual({ session: 1, type: 'rpcResponse', device: 'cam', id: '1', payload: '{"ok":true}' });
  });
});

test('a device that exceeds the rate limit of the tenant is closed, and again after each connect', async () => {
  const simulator = await simulate({ devices: [cam], rateLimit: { messages: 2, seconds: 60 } });
  const first = await openDevice(simulator, 'cam-token');
  for (let sent = 0; sent < 2; sent += 1) await first.client.publishAsync(TELEMETRY, '{"t":1}', { qos: 1 });
  first.client.publish(TELEMETRY, '{"t":1}', { qos: 1 });
  await closed(first);
  expect(first.received).toEqual(['connack:0', 'puback', 'puback', 'close']);
  const second = await openDevice(simulator, 'cam-token');
  second.client.publish(TELEMETRY, '{"t":1}', { qos: 1 });
  await closed(second);
  expect(second.received).toEqual(['connack:0', 'close']);
});

test('the rate limit forgets messages after its time', () => {
  const limiter = new RateLimiter({ messages: 1, seconds: 10 });
  expect([limiter.exceeds(0), limiter.exceeds(9_999), limiter.exceeds(10_000)]).toEqual([false, true, false]);
});
