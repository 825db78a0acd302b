/** Starts clients for tests. After each test it checks that no socket is left. */

import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { mkdtemp, rm } from 'node:fs/promises';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import type { SimulatedClock } from 'xstate';
import type { ProvisioningRecord } from '../../src/client/provisioningRecord.ts';
import type { RpcMethods } from '../../src/client/rpc/methods.ts';
import { runClient } from '../../src/client/runClient.ts';
import type { TemperatureSource } from '../../src/client/temperatureSource.ts';
import type { ClientConfig } from '../../src/config/thermal/clientConfig.ts';
import { type Clock, systemClock } from '../../src/time/clock.ts';
import { recordingLog, startBroker, startTcp } from './testBroker.ts';

export const clock = systemClock();
const cleanups: Array<() => Promise<unknown>> = [];
export let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'client-'));
  cleanups.push(() => rm(folder, { recursive: true }));
});

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  const left = process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap');
  expect(left).toEqual([]);
});

export async function broker(options: Parameters<typeof startBroker>[0] = {}) {
  const started = await startBroker(options);
  cleanups.push(started.close);
  return started;
}

export async function tcp(onConnection: Parameters<typeof startTcp>[0]) {
  const started = await startTcp(onConnection);
  cleanups.push(started.close);
  return started;
}

/** The sockets that this process opened, without accepted ones. */
export const clientSockets: Socket[] = [];
const remember = (message: unknown): void => {
  if (typeof message !== 'object' || message === null || !('socket' in message)) return;
  if (message.socket instanceof Socket) clientSockets.push(message.socket);
};
beforeAll(() => subscribe('net.client.socket', remember));
afterAll(() => unsubscribe('net.client.socket', remember));
export const areClosed = (): boolean => clientSockets.every(({ closed }) => closed);

/** The temperature of each spot is ten times its id. */
export function steadySource(): TemperatureSource & { closed: number } {
  const source = {
    closed: 0,
    read: async (spots: readonly { id: number }[]) =>
      spots.map(({ id }) => ({ spot: id, temperature: 10 * id, readAt: clock.monotonic() })),
    close: async () => {
      source.closed += 1;
    },
  };
  return source;
}

export const steady = (): TemperatureSource => steadySource();

interface RunOptions {
  config: ClientConfig;
  readConfig?: () => Promise<ClientConfig>;
  source?: TemperatureSource;
  record?: ProvisioningRecord;
  methods?: RpcMethods;
  chartClock?: SimulatedClock;
  clock?: Clock;
  ackMs?: number;
}

/** Starts the client with short limits. It is stopped after the test at the latest. */
export function run({ source = steady(), ackMs = 2_000, ...options }: RunOptions) {
  const stopping = new AbortController();
  const log = recordingLog();
  const ended = runClient({
    deviceFolder: folder,
    source,
    log,
    clock,
    signal: stopping.signal,
    limits: { connectMs: 2_000, ackMs, closeMs: 100, readMs: 100 },
    random: () => 0,
    ...options,
  });
  /** @returns milliseconds until the client has ended */
  const stop = async (): Promise<number> => {
    const startedAt = performance.now();
    stopping.abort();
    await ended;
    expect(areClosed()).toBe(true);
    return performance.now() - startedAt;
  };
  cleanups.push(stop);
  return { log, stop, ended };
}
