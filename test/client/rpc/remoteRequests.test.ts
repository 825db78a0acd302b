/** Normal operation with a simulated ThingsBoard that sends requests. */

import { expect, it } from 'vitest';
import type { RpcMethods } from '../../../src/client/rpc/methods.ts';
import type { SimulatorEvent } from '../../../src/simulator/events.ts';
import { openDevice } from '../../simulator/mqttClients.ts';
import { startServer } from '../../support/server.ts';
import { until } from '../../support/until.ts';
import { configFor, TOKEN } from '../testBroker.ts';
import { run } from '../testClient.ts';

const CAMERA = 'camera-1';
const SUBSCRIBED = 'v1/devices/me/rpc/request/+';

type AtEnd = Parameters<typeof startServer>[0];

async function operated(atEnd: AtEnd, methods: RpcMethods) {
  const events: SimulatorEvent[] = [];
  const device = { name: CAMERA, credentials: { type: 'ACCESS_TOKEN', token: TOKEN } } as const;
  const server = await startServer(atEnd, { devices: [device], onEvent: (event) => events.push(event) });
  const client = run({ config: configFor(server.port), methods });
  const count = (type: SimulatorEvent['type']): number => events.filter((event) => event.type === type).length;
  const subscriptions = (): number => events.filter((event) => 'filter' in event && event.filter === SUBSCRIBED).length;
  await until(() => subscriptions() === 1);
  return { server, client, events, count, subscriptions };
}

it('normal operation answers in every session: it subscribes again after each reconnect', async ({
  onTestFinished,
}) => {
  const { server, events, subscriptions } = await operated(onTestFinished, { ask: async () => ({ answer: '"here"' }) });
  expect(server.sendRpc(CAMERA, 'ask', {})).toBe(1);
  await until(() => events.some(({ type }) => type === 'rpcResponse'));
  // A second session of the device ends the first one.
  await openDevice(server, TOKEN);
  await until(() => subscriptions() === 2);
  await until(() => server.sendRpc(CAMERA, 'ask', {}) !== undefined);
  await until(() => events.filter(({ type }) => type === 'rpcResponse').length === 2);
  expect(events.find(({ type }) => type === 'rpcResponse')).toMatchObject({
    device: CAMERA,
    id: '1',
    payload: '"here"',
  });
});

it('a method that takes long does not hold up the temperatures', async ({ onTestFinished }) => {
  const { server, count, client } = await operated(onTestFinished, { ask: () => new Promise(() => {}) });
  expect(server.sendRpc(CAMERA, 'ask', {})).toBe(1);
  const before = count('telemetry');
  await until(() => count('telemetry') >= before + 3);
  expect(await client.stop()).toBeLessThan(2_000);
  expect(await client.ended).toEqual({ runRequested: false });
});

it('a request for a new run ends normal operation, after its answer was acknowledged', async ({ onTestFinished }) => {
  let calls = 0;
  const method = async () => {
    calls += 1;
    return { answer: '"new"', ends: true };
  };
  const { server, client, events } = await operated(onTestFinished, { ask: method });
  server.sendRpc(CAMERA, 'ask', {});
  server.sendRpc(CAMERA, 'ask', {});
  expect(await client.ended).toEqual({ runRequested: true });
  expect(calls).toBe(1);
  expect(events.filter(({ type }) => type === 'rpcResponse')).toMatchObject([{ payload: '"new"' }]);
});
