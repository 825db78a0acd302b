import { once } from 'node:events';
import { connect as connectSocket } from 'node:net';
import { describe, expect, test } from 'vitest';
import type { SimulatorEvent } from '../../src/simulator/events.ts';
import { until } from '../support/until.ts';
import { KEYS, openProvision, openRaw, provision, REQUEST, requestUntilClose, simulate, wait } from './mqttClients.ts';

const request = (deviceName: string, more: object = {}): string => JSON.stringify({ ...KEYS, deviceName, ...more });

describe('the session is closed by', () => {
  test('a PUBLISH to another topic: PUBACK, then close', async () => {
    const simulator = await simulate();
    const recorded = await openProvision(simulator);
    recorded.client.publish('provision/request', request('cam'), { qos: 1 });
    await until(() => recorded.received.includes('close'));
    expect(recorded.received).toEqual(['connack:0', 'puback', 'close']);
    expect(simulator.registry.counts.provisionRequests).toBe(0);
  });

  test.each([
    ['not JSON', '{"provisionDeviceKey":'],
    ['an array', '[]'],
    ['null', 'null'],
    ['a list in a field that is read', request('cam', { token: [] })],
  ])('%s: close without PUBACK', async (_what, payload) => {
    const simulator = await simulate();
    expect(await requestUntilClose(simulator, payload)).toEqual(['close']);
    expect(simulator.registry.devices()).toEqual([]);
  });

  test.each([
    ['no key', JSON.stringify({ provisionDeviceSecret: 's', deviceName: 'cam' })],
    ['no secret', JSON.stringify({ provisionDeviceKey: 'k', deviceName: 'cam' })],
    ['an unknown credentialsType', request('cam', { credentialsType: 'PASSWORD' })],
    ['a null in a field that is read', request('cam', { token: null })],
    ['a null as gateway', request('cam', { gateway: null })],
    ['an object in a field that is read', request('cam', { password: {} })],
  ])('%s: PUBACK, then close, no response', async (_what, payload) => {
    const simulator = await simulate();
    expect(await requestUntilClose(simulator, payload)).toEqual(['puback', 'close']);
    expect(simulator.registry.devices()).toEqual([]);
  });

  test('more than 65,536 bytes: close without PUBACK', async () => {
    const simulator = await simulate();
    const ballast = 'x'.repeat(65_536);
    expect(await requestUntilClose(simulator, request('cam', { ballast }))).toEqual(['close']);
    expect(simulator.registry.devices()).toEqual([]);
  });

  test('slightly less than 65,536 bytes are read', async () => {
    const simulator = await simulate();
    expect(await provision(simulator, { ...KEYS, deviceName: 'cam', ballast: 'x'.repeat(65_000) })).toMatchObject({
      status: 'SUCCESS',
    });
  });
});

test('a failing back end is silent, then sends PUBACK and closes', async () => {
  const simulator = await simulate({
    faults: [{ on: 'request', action: 'silenceThenPubackAndClose', ms: 150 }],
  });
  const startedAt = performance.now();
  expect(await requestUntilClose(simulator, request('cam'))).toEqual(['puback', 'close']);
  expect(performance.now() - startedAt).toBeGreaterThan(140);
  expect(simulator.registry.devices()).toEqual([]);
});

test('strategy X509_CERTIFICATE_CHAIN: silence, then PUBACK and close', async () => {
  const simulator = await simulate({ strategy: 'X509_CERTIFICATE_CHAIN', backEndTimeoutMs: 100 });
  expect(await requestUntilClose(simulator, request('cam'))).toEqual(['puback', 'close']);
});

test('the device is committed although the client has disconnected', async () => {
  const events: SimulatorEvent[] = [];
  const simulator = await simulate({ commitDelayMs: 100, onEvent: (event) => events.push(event) });
  const recorded = await openProvision(simulator);
  recorded.client.publish(REQUEST, request('cam', { token: 'mine' }), { qos: 1 });
  await until(() => events.some(({ type }) => type === 'request'));
  recorded.client.stream.destroy();
  await until(() => events.some(({ type }) => type === 'close'));
  expect(simulator.registry.devices()).toEqual([]);
  await until(() => simulator.registry.find('cam'));
  await wait(20);
  expect(events.map(({ type }) => type)).toEqual(['connect', 'connack', 'request', 'close', 'commit']);
});

test('bytes that are not MQTT end only this connection', async () => {
  const simulator = await simulate();
  const raw = openRaw(simulator.port);
  raw.socket.write('GET / HTTP/1.1\r\n\r\n');
  await until(() => raw.closed());
  expect(await provision(simulator, { ...KEYS, deviceName: 'cam' })).toMatchObject({ status: 'SUCCESS' });
});

test('after close() the port is free and no connection is left', async () => {
  const simulator = await simulate();
  const silent = openRaw(simulator.port);
  await until(() => silent.socket.readyState === 'open');
  const recorded = await openProvision(simulator);
  await simulator.close();
  await until(() => silent.closed() && recorded.received.includes('close'));
  const late = connectSocket(simulator.port, '127.0.0.1');
  await expect(once(late, 'connect')).rejects.toThrow('ECONNREFUSED');
});
