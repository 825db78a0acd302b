/** Normal operation behind a faulty network, in this process, over real sockets. */

import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runClient } from '../../../../src/client/runClient.ts';
import { createSimulatedSource } from '../../../../src/client/simulatedSource.ts';
import type { ClientConfig } from '../../../../src/config/thermal/clientConfig.ts';
import { formatJson } from '../../../../src/log/format.ts';
import { createLog } from '../../../../src/log/log.ts';
import { startSimulator } from '../../../../src/simulator/simulator.ts';
import { systemClock } from '../../../../src/time/clock.ts';
import { accessToken } from '../../../support/accessToken.ts';
import { type PlacedFault, startFaultProxy } from '../../../support/faultProxy.ts';
import { assertNoSecrets } from '../../../support/secretSearch.ts';
import type { Tls, TrialResult } from './provisioningTrial.ts';

const TOKEN = 'token-of-the-camera';
const DEVICE = 'camera-1';
/** Number of messages before the fault, and again after it. */
const ENOUGH_MESSAGES = 3;
/** The chart's times are divided by this number. */
const SPEED = 20;
/** With the shortened times a client recovers within two or three seconds. */
const RECOVERY_LIMIT_MS = 20_000;
const STOP_LIMIT_MS = 3_000;
const LIMITS = { connectMs: 1000, ackMs: 1000, closeMs: 50, readMs: 1000 };

const chartClock = {
  setTimeout: (callback: () => void, ms: number): unknown => setTimeout(callback, ms / SPEED),
  clearTimeout: (id: unknown): void => {
    if (typeof id === 'object' || typeof id === 'number') clearTimeout(Number(id));
  },
};

const configFor = (port: number, tls: boolean): ClientConfig => ({
  thingsboard: {
    host: '127.0.0.1',
    port,
    login: accessToken(TOKEN),
    deviceId: DEVICE,
    useSsl: tls,
    ...(tls ? { caFile: 'ca.pem' } : {}),
    keepAliveSeconds: 60,
    qosLevel: 1,
  },
  telemetry: {
    intervalSeconds: 1,
    batchTransmission: true,
    retryAttempts: 1,
    retryDelayMs: 100,
    measurementSpots: [
      { id: 1, name: 'Center', x: 1, y: 1, minTemp: 20, maxTemp: 80, noiseFactor: 0.1, enabled: true },
    ],
  },
  logging: { level: 'debug', output: 'console', logFile: 'unused.log' },
});

async function within(ms: number, met: () => boolean): Promise<boolean> {
  const end = performance.now() + ms;
  while (!met()) {
    if (performance.now() > end) return false;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return true;
}

/**
 * Publishes telemetry through a proxy with the fault. Telemetry must arrive again after the fault.
 * @param folder used by this trial only; removed afterwards
 */
export async function runTelemetryTrial(
  folder: string,
  { tls, fault }: { readonly tls?: Tls | undefined; readonly fault?: PlacedFault | undefined },
): Promise<TrialResult> {
  const clock = systemClock();
  const server = await startSimulator({
    tls: tls?.server,
    devices: [{ name: DEVICE, credentials: { type: 'ACCESS_TOKEN', token: TOKEN } }],
  });
  const proxy = await startFaultProxy({
    targetPort: server.port,
    framing: tls === undefined ? 'mqtt' : 'tls',
    ...(fault === undefined ? {} : { fault }),
  });
  await mkdir(folder, { recursive: true });
  if (tls !== undefined) await writeFile(join(folder, 'ca.pem'), tls.caPem);
  const lines: string[] = [];
  const stop = new AbortController();
  let ended: string | undefined;
  const running = runClient({
    deviceFolder: folder,
    config: configFor(proxy.port, tls !== undefined),
    source: createSimulatedSource({ clock, seed: 1 }),
    log: createLog((record) => void lines.push(formatJson(record)), clock, { runId: null, state: null, attempt: null }),
    clock,
    signal: stop.signal,
    limits: LIMITS,
    chartClock,
    random: () => 0,
  }).then(
    () => {
      ended = 'ended';
    },
    (error: unknown) => {
      ended = `ended with ${error instanceof Error ? error.message : 'an error'}`;
    },
  );
  const problems: string[] = [];
  const received = (): number => server.registry.counts.telemetryMessages;
  try {
    await within(RECOVERY_LIMIT_MS, () => (fault === undefined ? received() >= ENOUGH_MESSAGES : proxy.fired() > 0));
    const seen = [...proxy.seen];
    const before = received();
    const recovered = await within(RECOVERY_LIMIT_MS, () => received() >= before + ENOUGH_MESSAGES);
    if (!recovered) problems.push(`telemetry did not recover: ${received() - before} messages after the fault`);
    if (ended !== undefined) problems.push(`normal operation ${ended} without a request to stop`);
    stop.abort();
    if (!(await within(STOP_LIMIT_MS, () => ended !== undefined))) problems.push('normal operation did not stop');
    await assertNoSecrets(folder, lines.join('\n'), [TOKEN]).catch((error: unknown) => problems.push(String(error)));
    return { fired: proxy.fired() > 0, problems, seen };
  } finally {
    stop.abort();
    await running;
    await proxy.close();
    await server.close();
    await rm(folder, { recursive: true, force: true });
  }
}
