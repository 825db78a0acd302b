import { readFile } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { createWebSocketReceiver, type StatelyInspectionEvent } from '@statelyai/inspect';
import { expect, it, onTestFinished } from 'vitest';
import { WebSocketServer } from 'ws';
import { createActor } from 'xstate';
import { z } from 'zod';
import { STEPS } from '../../machines/provision.states.ts';
import { telemetryMachine } from '../../machines/telemetry.machine.ts';
import { inspectWithStately } from '../../src/watch/stately.ts';
import { DEVICE_KEY, DEVICE_SECRET } from '../support/server.ts';
import { portOf, relay, watchedRun } from './watchedRun.ts';

const MAIN_FLOW = [...STEPS, 'provisioned'];

/** A run may take longer by this much. Generous, because test machines are busy. */
const UNNOTICED_MS = 5000;

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const port = portOf(server.address());
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const configSchema = z.object({ thingsboard: z.object({ access_token: z.string().min(8) }) });

it('sends the events of the run to a receiver of the Stately inspector, in order and without a secret', async () => {
  const { port } = await relay();
  const received: StatelyInspectionEvent[] = [];
  createWebSocketReceiver({ server: `ws://127.0.0.1:${port}` }).subscribe((event) => received.push(event));
  const said: string[] = [];
  const inspector = inspectWithStately({ port, say: (text) => said.push(text) });
  const { run, paths } = await watchedRun(inspector);
  expect(run.outcome).toBe('provisioned');
  expect(said).toEqual([`The Stately inspector on 127.0.0.1:${port} receives this run`]);

  const root = () => received.find((event) => event.type === '@xstate.actor' && event.name === 'provision');
  const values = () =>
    received
      .filter((event) => event.type === '@xstate.snapshot' && event.sessionId === root()?.sessionId)
      .map((event) => ('snapshot' in event && 'value' in event.snapshot ? event.snapshot.value : undefined));
  await expect.poll(() => values().at(-1)).toBe('provisioned');
  expect(values().filter((value, index, all) => value !== all[index - 1])).toEqual(MAIN_FLOW);
  expect(received[0]).toMatchObject({ type: '@xstate.actor', name: 'provision', _version: '0.7.2' });
  expect(
    JSON.parse(String(root()?.type === '@xstate.actor' ? Reflect.get(root() ?? {}, 'definition') : '')),
  ).toMatchObject({
    id: 'provision',
    initial: 'detect',
  });
  const effects = received.flatMap((event) => (event.type === '@xstate.actor' && event.parentId ? [event.name] : []));
  expect(effects).toEqual(MAIN_FLOW.slice(0, -1));
  const granted = received.find((event) => 'event' in event && event.event.type === 'xstate.done.actor.request');
  expect(granted).toMatchObject({ event: { output: { outcome: 'granted', issued: { deviceName: run.deviceName } } } });

  const config = configSchema.parse(JSON.parse(await readFile(paths.thermalConfig, 'utf8')));
  const text = JSON.stringify(received);
  expect(text).toContain(run.deviceName);
  for (const secret of [config.thingsboard.access_token, DEVICE_KEY, DEVICE_SECRET]) {
    expect(text).not.toContain(secret);
    expect(text).not.toContain(JSON.stringify(secret).slice(1, -1));
  }
});

it('does not delay a run without a receiver', async () => {
  const port = await freePort();
  const said: string[] = [];
  const { run, runMs, closeMs } = await watchedRun(inspectWithStately({ port, say: (text) => said.push(text) }));
  expect(run.outcome).toBe('provisioned');
  expect(said).toEqual([`No Stately inspector listens on 127.0.0.1:${port}. The run continues without an inspector`]);
  expect(runMs + closeMs).toBeLessThan(UNNOTICED_MS);
});

/** A server that accepts connections and passes them to the test. */
async function strangeServer(take: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    take(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return portOf(server.address());
}

it('does not delay a run when the receiver never answers', async () => {
  const port = await strangeServer((socket) => socket.pause());
  const { run, runMs, closeMs } = await watchedRun(inspectWithStately({ port }));
  expect(run.outcome).toBe('provisioned');
  expect(runMs).toBeLessThan(UNNOTICED_MS);
  expect(closeMs).toBeLessThan(2000);
});

it('does not delay a run when the receiver stops reading', async () => {
  const { port, server } = await relay();
  server.on('connection', (client) => client.pause());
  const inspector = inspectWithStately({ port });
  // More than the buffers of the sockets and the queue can hold.
  const chatter = createActor(telemetryMachine, { input: { spread: 1 } });
  for (let n = 0; n < 20_000; n += 1) {
    const event = { type: 'xstate.after.backoff.telemetry.waiting' };
    inspector.observe({ type: '@xstate.event', rootId: 'x:0', actorRef: chatter, sourceRef: undefined, event });
  }
  const { run, runMs, closeMs } = await watchedRun(inspector);
  expect(run.outcome).toBe('provisioned');
  expect(runMs).toBeLessThan(UNNOTICED_MS);
  expect(closeMs).toBeLessThan(2000);
});

it('does not delay a run when the receiver disconnects', async () => {
  const { port, server } = await relay();
  const { run, runMs } = await watchedRun(inspectWithStately({ port }), () => {
    for (const client of server.clients) client.terminate();
    server.close();
  });
  expect(run.outcome).toBe('provisioned');
  expect(runMs).toBeLessThan(UNNOTICED_MS);
});

it('connects to a receiver that starts later, and sends it the earlier events', async () => {
  const port = await freePort();
  const inspector = inspectWithStately({ port });
  const { run } = await watchedRun({ ...inspector, close: async () => {} });
  expect(run.outcome).toBe('provisioned');
  const server = new WebSocketServer({ port, host: '127.0.0.1' });
  onTestFinished(() => {
    for (const client of server.clients) client.terminate();
    server.close();
  });
  const received: string[] = [];
  server.on('connection', (client) => client.on('message', (data) => received.push(String(data))));
  await expect.poll(() => received.some((text) => text.includes('"value":"provisioned"'))).toBe(true);
  expect(received[0]).toContain('@xstate.actor');
  await inspector.close();
});
