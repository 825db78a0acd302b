/** Server-side RPC over REST, as ThingsBoard answers it. */

import { afterEach, beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import type { SimulatorEvent } from '../../src/simulator/events.ts';
import { REST_USER } from '../../src/simulator/rest.ts';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import { until } from '../support/until.ts';
import { connectPacket, openDevice, openRaw, publishPacket, TYPE } from './mqttClients.ts';

const FILTER = 'v1/devices/me/rpc/request/+';
const RESPONSE = 'v1/devices/me/rpc/response/';

let simulator: Simulator;
let events: SimulatorEvent[];
let call: (way: string, body: unknown, id?: string) => Promise<{ status: number; text: string }>;

beforeEach(async () => {
  events = [];
  const device = { name: 'cam', credentials: { type: 'ACCESS_TOKEN', token: 'cam-token' } } as const;
  const onEvent = (event: SimulatorEvent): void => void events.push(event);
  simulator = await startSimulator({ restPort: 0, minRpcTimeoutMs: 100, devices: [device], onEvent });
  const url = simulator.restUrl ?? '';
  const login = await fetch(`${url}/api/auth/login`, { method: 'POST', body: JSON.stringify(REST_USER) });
  const { token } = z.object({ token: z.string() }).parse(await login.json());
  const headers = { 'X-Authorization': `Bearer ${token}` };
  const cam = simulator.registry.find('cam')?.id ?? '';
  call = async (way, body, id = cam) => {
    const answer = await fetch(`${url}/api/rpc/${way}/${id}`, { method: 'POST', headers, body: JSON.stringify(body) });
    return { status: answer.status, text: await answer.text() };
  };
});
afterEach(() => simulator.close());

test('a two-way request reaches the device, and its answer is the answer of the call', async () => {
  const device = await openDevice(simulator, 'cam-token');
  await device.client.subscribeAsync(FILTER, { qos: 1 });
  device.client.on('message', (topic, payload) => {
    const answer = JSON.stringify({ got: JSON.parse(payload.toString()) });
    device.client.publish(topic.replace('request', 'response'), answer, { qos: 1 });
  });
  const request = { method: 'ask', params: { a: [1] } };
  expect(await call('twoway', request)).toEqual({ status: 200, text: JSON.stringify({ got: request }) });
});

test('an answer that is not JSON gives 406', async () => {
  const device = await openDevice(simulator, 'cam-token');
  await device.client.subscribeAsync(FILTER, { qos: 1 });
  device.client.on('message', (topic) =>
    device.client.publish(topic.replace('request', 'response'), 'yes!', { qos: 1 }),
  );
  expect(await call('twoway', { method: 'ask', params: {} })).toEqual({ status: 406, text: '' });
});

test('a request without an answer gives 504 after its time, also to a device that is not connected', async () => {
  expect(await call('twoway', { method: 'ask', params: {}, timeout: 1 })).toEqual({ status: 504, text: '' });
  expect(await call('oneway', { method: 'ask', params: {}, timeout: 1 })).toEqual({ status: 504, text: '' });
});

test('a one-way request is done when the device has it', async () => {
  const device = await openDevice(simulator, 'cam-token');
  await device.client.subscribeAsync(FILTER, { qos: 1 });
  expect(await call('oneway', { method: 'ask', params: null })).toEqual({ status: 200, text: '' });
  await until(() => device.payloads.length === 1);
});

test('a request waits for the subscription, and an unanswered one comes again with the next', async () => {
  const answer = call('twoway', { method: 'ask', params: {}, timeout: 5_000 });
  const first = await openDevice(simulator, 'cam-token');
  await first.client.subscribeAsync(FILTER, { qos: 1 });
  await until(() => first.payloads.length === 1);
  const second = await openDevice(simulator, 'cam-token');
  await second.client.subscribeAsync(FILTER, { qos: 1 });
  await until(() => second.payloads.length === 1);
  expect(second.payloads[0]?.topic).toBe(first.payloads[0]?.topic);
  const id = second.payloads[0]?.topic.split('/').at(-1);
  await second.client.publishAsync(`${RESPONSE}${id}`, '1', { qos: 1 });
  expect(await answer).toEqual({ status: 200, text: '1' });
});

test.each([
  ['abc', '1'],
  ['1', ''],
])('a response to "%s" with the payload "%s" closes the session', async (id, payload) => {
  const raw = openRaw(simulator.port);
  raw.socket.write(connectPacket({ username: 'cam-token' }));
  await until(() => raw.types().includes(TYPE.CONNACK));
  raw.socket.write(publishPacket(`${RESPONSE}${id}`, payload));
  await until(() => events.some((event) => event.type === 'close' && event.why === 'bad RPC response'));
  expect(raw.types()).not.toContain(TYPE.PUBACK);
});

test('a bad request and an unknown device are refused', async () => {
  expect(await call('twoway', { params: 1 })).toMatchObject({ status: 400 });
  expect(await call('twoway', { method: 'ask' }, '00000000-0000-0000-0000-000000000000')).toMatchObject({
    status: 404,
  });
  expect(await call('sideways', { method: 'ask', params: {} })).toMatchObject({ status: 404 });
});
