import { describe, expect, test } from 'vitest';
import { until } from '../support/until.ts';
import {
  connected,
  connectPacket,
  KEYS,
  openProvision,
  openRaw,
  packet,
  provision,
  publishPacket,
  REQUEST,
  RESPONSE,
  simulate,
  TYPE,
  wait,
} from './mqttClients.ts';

const request = (deviceName: string, more: object = {}): string => JSON.stringify({ ...KEYS, deviceName, ...more });

describe('CONNECT', () => {
  test('the user name provision is accepted with any password and client id', async () => {
    const simulator = await simulate();
    const { received } = await connected(simulator.url, { username: 'provision', password: 'x', clientId: 'y' });
    expect(received).toEqual(['connack:0']);
  });

  test('the client id provision is accepted with any user name', async () => {
    const simulator = await simulate();
    const { received } = await connected(simulator.url, { clientId: 'provision', username: 'nobody' });
    expect(received).toEqual(['connack:0']);
    expect(simulator.registry.counts.provisionConnects).toBe(1);
  });

  test('only the exact word is accepted', async () => {
    const simulator = await simulate();
    expect((await connected(simulator.url, { username: 'Provision' })).received).toContain('connack:5');
    expect((await connected(simulator.url, { username: 'provision ' })).received).toContain('connack:5');
  });

  test('"session present" is the opposite of "clean session"', async () => {
    const simulator = await simulate();
    const dirty = openRaw(simulator.port);
    dirty.socket.write(connectPacket({ username: 'provision', clean: false }));
    await until(() => dirty.types().includes(TYPE.CONNACK));
    expect([...dirty.bytes()]).toEqual([0x20, 2, 1, 0]);
    const clean = openRaw(simulator.port);
    clean.socket.write(connectPacket({ username: 'provision' }));
    await until(() => clean.types().includes(TYPE.CONNACK));
    expect([...clean.bytes()]).toEqual([0x20, 2, 0, 0]);
  });

  test('several clients can use the same client id', async () => {
    const simulator = await simulate();
    const first = await connected(simulator.url, { username: 'provision', clientId: 'same' });
    const second = await connected(simulator.url, { username: 'provision', clientId: 'same' });
    second.client.publish(REQUEST, request('cam-2'), { qos: 1 });
    await until(() => second.payloads[0]);
    first.client.publish(REQUEST, request('cam-1'), { qos: 1 });
    expect((await until(() => first.payloads[0])).text).toContain('SUCCESS');
  });

  test('MQTT 5 is accepted like MQTT 3.1.1', async () => {
    const simulator = await simulate();
    const raw = openRaw(simulator.port);
    raw.socket.write(connectPacket({ username: 'provision', level: 5 }));
    await until(() => raw.types().includes(TYPE.CONNACK));
    expect(raw.bytes()[3]).toBe(0);
  });
});

describe('order of packets', () => {
  test('PUBACK, then the response with QoS 1 to a client that has not subscribed', async () => {
    const simulator = await simulate();
    const recorded = await openProvision(simulator);
    recorded.client.publish(REQUEST, request('cam'), { qos: 1 });
    await until(() => recorded.payloads[0]);
    expect(recorded.received).toEqual(['connack:0', 'puback', `publish:${RESPONSE}`]);
    expect(recorded.payloads[0]?.qos).toBe(1);
  });

  test('the response to a subscription of QoS 0 has QoS 0', async () => {
    const simulator = await simulate();
    const recorded = await openProvision(simulator);
    await recorded.client.subscribeAsync(RESPONSE, { qos: 0 });
    recorded.client.publish(REQUEST, request('cam'), { qos: 1 });
    expect((await until(() => recorded.payloads[0])).qos).toBe(0);
  });

  test('a request with QoS 0 is answered too', async () => {
    const simulator = await simulate();
    const recorded = await openProvision(simulator);
    recorded.client.publish(REQUEST, request('cam'), { qos: 0 });
    await until(() => recorded.payloads[0]);
    expect(recorded.received).toEqual(['connack:0', `publish:${RESPONSE}`]);
  });

  test('PUBACK waits for the back end', async () => {
    const simulator = await simulate({ latencyMs: 200 });
    const recorded = await openProvision(simulator);
    const sentAt = performance.now();
    recorded.client.publish(REQUEST, request('cam'), { qos: 1 });
    await until(() => simulator.registry.counts.successes === 1);
    expect(recorded.received).toEqual(['connack:0']);
    await until(() => recorded.received.includes('puback'));
    expect(performance.now() - sentAt).toBeGreaterThan(190);
  });

  test('a request directly after CONNECT, in one segment, is answered after CONNACK', async () => {
    const simulator = await simulate();
    const raw = openRaw(simulator.port);
    raw.socket.write(Buffer.concat([connectPacket({ username: 'provision' }), publishPacket(REQUEST, request('cam'))]));
    await until(() => raw.types().length === 3);
    expect(raw.types()).toEqual([TYPE.CONNACK, TYPE.PUBACK, TYPE.PUBLISH]);
  });

  test('a request in the segment after CONNECT is answered after CONNACK, with any timing of the reads', async () => {
    const simulator = await simulate();
    const clients = Array.from({ length: 150 }, () => openRaw(simulator.port));
    clients.forEach(({ socket }, i) => {
      socket.setNoDelay(true);
      socket.write(connectPacket({ username: 'provision' }));
      socket.once('connect', () => setImmediate(() => socket.write(publishPacket(REQUEST, request(`cam-${i}`)))));
    });
    await until(() => clients.every((raw) => raw.types().length === 3));
    for (const raw of clients) expect(raw.types()).toEqual([TYPE.CONNACK, TYPE.PUBACK, TYPE.PUBLISH]);
  });

  test('100 packets may arrive before CONNACK', async () => {
    const simulator = await simulate({ faults: [{ on: 'connect', action: 'stallConnack', ms: 100 }] });
    const raw = openRaw(simulator.port);
    const requests = Array.from({ length: 100 }, (_, i) => publishPacket(REQUEST, request(`cam-${i}`), i + 1));
    raw.socket.write(Buffer.concat([connectPacket({ username: 'provision' }), ...requests]));
    await until(() => raw.types().length === 201);
    expect(simulator.registry.counts.successes).toBe(100);
  });

  test('a repeated PUBLISH (DUP) is a second attempt', async () => {
    const simulator = await simulate();
    const raw = openRaw(simulator.port);
    raw.socket.write(
      Buffer.concat([
        connectPacket({ username: 'provision' }),
        publishPacket(REQUEST, request('cam'), 7),
        publishPacket(REQUEST, request('cam'), 7, true),
      ]),
    );
    await until(() => raw.types().filter((type) => type === TYPE.PUBLISH).length === 2);
    const text = raw.bytes().toString();
    // As on the real server, the refusal is quicker than the commit.
    expect(text.indexOf('"FAILURE"')).toBeGreaterThan(0);
    expect(text.indexOf('"SUCCESS"')).toBeGreaterThan(text.indexOf('"FAILURE"'));
    expect(simulator.registry.counts.provisionRequests).toBe(2);
  });

  test('a request with QoS 2 gets PUBACK', async () => {
    const simulator = await simulate();
    const recorded = await openProvision(simulator);
    recorded.client.publish(REQUEST, request('cam'), { qos: 2 });
    await until(() => recorded.payloads[0]);
    expect(recorded.received).toEqual(['connack:0', 'puback', `publish:${RESPONSE}`]);
    expect(simulator.registry.counts.provisionRequests).toBe(1);
  });

  test('the server closes the session some time after the response', async () => {
    const simulator = await simulate({ provisionSessionCloseMs: 80 });
    const recorded = await openProvision(simulator);
    recorded.client.publish(REQUEST, request('cam'), { qos: 1 });
    await until(() => recorded.payloads[0]);
    const answeredAt = performance.now();
    await until(() => recorded.received.includes('close'));
    expect(performance.now() - answeredAt).toBeGreaterThan(60);
  });
});

describe('SUBSCRIBE', () => {
  test.each([
    ['/provision/response', [0], 'suback:0'],
    ['/provision/response', [1], 'suback:1'],
    ['provision/response', [1], 'suback:128'],
    ['/provision/+', [1], 'suback:128'],
    ['/provision/request', [1], 'suback:128'],
    ['#', [1], 'suback:128'],
    ['v1/devices/me/attributes', [1], 'suback:128'],
  ] as const)('%s with QoS %j is answered with %s', async (filter, [qos], answer) => {
    const simulator = await simulate();
    const recorded = await openProvision(simulator);
    recorded.client.subscribe(filter, { qos });
    await until(() => recorded.received[1]);
    expect(recorded.received[1]).toBe(answer);
  });

  test('servers before 3.9 send no SUBACK and no UNSUBACK, and continue', async () => {
    const simulator = await simulate({ legacySuback: true });
    const recorded = await openProvision(simulator);
    recorded.client.subscribe(RESPONSE, { qos: 1 });
    recorded.client.unsubscribe(RESPONSE);
    recorded.client.publish(REQUEST, request('cam'), { qos: 1 });
    await until(() => recorded.payloads[0]);
    expect(recorded.received).toEqual(['connack:0', 'puback', `publish:${RESPONSE}`]);
  });

  test('servers before 3.9 send SUBACK to a device', async () => {
    const devices = [{ name: 'cam', credentials: { type: 'ACCESS_TOKEN', token: 't' } }] as const;
    const simulator = await simulate({ legacySuback: true, devices });
    const recorded = await connected(simulator.url, { username: 't' });
    recorded.client.subscribe('v1/devices/me/attributes', { qos: 1 });
    await until(() => recorded.received.includes('suback:1'));
  });

  test('UNSUBSCRIBE is acknowledged by newer servers', async () => {
    const simulator = await simulate();
    const recorded = await openProvision(simulator);
    await recorded.client.subscribeAsync(RESPONSE, { qos: 0 });
    recorded.client.unsubscribe(RESPONSE);
    await until(() => recorded.received.includes('unsuback'));
    recorded.client.publish(REQUEST, request('cam'), { qos: 1 });
    expect((await until(() => recorded.payloads[0])).qos).toBe(1);
  });
});

test('an empty payload is answered in protobuf', async () => {
  const simulator = await simulate();
  const raw = openRaw(simulator.port);
  raw.socket.write(Buffer.concat([connectPacket({ username: 'provision' }), publishPacket(REQUEST, '')]));
  await until(() => raw.types().includes(TYPE.PUBLISH));
  expect([...raw.bytes().subarray(-2)]).toEqual([0x08, 0x02]);
});

test('fields that are not read may be null', async () => {
  const simulator = await simulate();
  expect(await provision(simulator, { ...KEYS, deviceName: 'cam', deviceType: null })).toMatchObject({
    status: 'SUCCESS',
  });
});

test('keep alive is never enforced, and PINGREQ is answered', async () => {
  const simulator = await simulate();
  const raw = openRaw(simulator.port);
  raw.socket.write(connectPacket({ username: 'provision', keepalive: 1 }));
  await until(() => raw.types().includes(TYPE.CONNACK));
  await wait(2000);
  raw.socket.write(packet(TYPE.PINGREQ, 0));
  await until(() => raw.types().includes(TYPE.PINGRESP));
});

test('no client receives the messages of another client', async () => {
  const simulator = await simulate();
  const other = await openProvision(simulator);
  await other.client.subscribeAsync(RESPONSE, { qos: 1 });
  await provision(simulator, { ...KEYS, deviceName: 'cam' });
  await wait(50);
  expect(other.payloads).toEqual([]);
});

test('200 cameras at once with the same client id are all provisioned, connected and answered', async () => {
  const simulator = await simulate();
  const names = Array.from({ length: 200 }, (_, i) => `cam-${i}`);
  await Promise.all(
    names.map(async (name) => {
      const asking = await connected(simulator.url, { username: 'provision', clientId: 'same' });
      asking.client.publish(REQUEST, request(name, { token: `token-${name}` }), { qos: 1 });
      await until(() => asking.payloads[0]);
      const device = await connected(simulator.url, { username: `token-${name}`, clientId: 'same' });
      await device.client.publishAsync('v1/devices/me/telemetry', JSON.stringify({ name }), { qos: 1 });
    }),
  );
  expect(names.every((name) => JSON.stringify(simulator.registry.telemetry(name)) === `[{"name":"${name}"}]`)).toBe(
    true,
  );
  expect(simulator.registry.counts).toMatchObject({ successes: 200, deviceConnects: 200, telemetryMessages: 200 });
});
