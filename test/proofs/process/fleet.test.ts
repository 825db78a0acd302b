import { describe, expect, it } from 'vitest';
import type { DevicePaths } from '../../../src/device/paths.ts';
import type { Fault } from '../../../src/simulator/faults.ts';
import { type AgentRun, runDevice } from '../../support/agentRun.ts';
import type { AtEnd } from '../../support/atEnd.ts';
import { makeDeviceFolder } from '../../support/deviceFolder.ts';
import { configuredDevice, provisionedProblems } from '../../support/provisionedDevice.ts';
import { startServer } from '../../support/server.ts';

const DEVICES = 100;

const makeFleet = (atEnd: AtEnd, port: number): Promise<DevicePaths[]> =>
  Promise.all(
    Array.from({ length: DEVICES }, async () => {
      const provisioning = { timeout_seconds: 20, max_retries: 3 };
      return (await makeDeviceFolder(atEnd, { port, provisioning })).paths;
    }),
  );

const outcomesOf = (runs: readonly AgentRun[]): string[] => [
  ...new Set(runs.map(({ outcome, failure }) => failure?.code ?? outcome)),
];

const TENTHS = Array.from({ length: DEVICES / 10 }, (_, index) => 10 * (index + 1));

const faultsAt = (nth: number): Fault[] => [
  { on: 'provisionConnect', nth, action: 'refuse', code: 3 },
  { on: 'deviceConnect', nth, action: 'close' },
  { on: 'request', nth, action: nth % 20 === 0 ? 'dropAnswerAndClose' : 'close' },
];

// Many agents in one process, so that the test measures agents and server instead of the loading of a hundred programs.
describe('a fleet of 100 cameras', () => {
  it('SC-005, SC-001: all at the same time: 100 different devices, each within 30 s', async ({ onTestFinished }) => {
    const server = await startServer(onTestFinished);
    const fleet = await makeFleet(onTestFinished, server.port);
    const startedAt = performance.now();
    const runs = await Promise.all(fleet.map((paths) => runDevice(paths)));
    expect(performance.now() - startedAt).toBeLessThan(30_000);
    expect(outcomesOf(runs)).toEqual(['provisioned']);
    expect(server.registry.devices()).toHaveLength(DEVICES);
    expect(server.registry.counts).toMatchObject({ provisionRequests: DEVICES, successes: DEVICES, failures: 0 });
    const devices = await Promise.all(fleet.map(configuredDevice));
    expect(new Set(devices.map(({ token }) => token)).size).toBe(DEVICES);
    for (const paths of fleet) expect(await provisionedProblems(paths, server, DEVICES)).toEqual([]);
  }, 60_000);

  it('SC-002: with a fault at every tenth step of the server: all succeed, no device exists twice', async ({
    onTestFinished,
  }) => {
    const server = await startServer(onTestFinished, { faults: TENTHS.flatMap(faultsAt) });
    const fleet = await makeFleet(onTestFinished, server.port);
    const runs = await Promise.all(fleet.map((paths) => runDevice(paths)));
    expect(outcomesOf(runs)).toEqual(['provisioned']);
    expect(server.registry.counts.faults).toBe(3 * TENTHS.length);
    expect(server.registry.devices()).toHaveLength(DEVICES);
    for (const paths of fleet) expect(await provisionedProblems(paths, server, DEVICES)).toEqual([]);
  }, 60_000);
});
