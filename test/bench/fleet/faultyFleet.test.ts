import { describe, expect, it } from 'vitest';
import { FAULTS_TIMEOUT_SECONDS, fleetDevice, layOutFleet } from '../../../bench/fleet/deviceFolders.ts';
import { bootsInProcess, bootUntilProvisioned, type DeviceEnd } from '../../../bench/fleet/deviceRun.ts';
import { faultPlan } from '../../../bench/fleet/faultPlan.ts';
import { registryProblems } from '../../../bench/fleet/fleetCheck.ts';
import { startFleetSimulator } from '../../../bench/fleet/fleetSimulator.ts';
import { inFlight } from '../../../bench/fleet/pool.ts';
import { DEFAULT_DEVICE_KEY, DEFAULT_DEVICE_SECRET } from '../../../src/simulator/simulator.ts';
import { makeFolder } from '../../support/deviceFolder.ts';
import { fastTime } from '../../support/fastTime.ts';
import { SEED } from '../../support/propertyTest.ts';

const DEVICES = 100;
const CONCURRENCY = 50;
const BOOTS = 3;

describe('a fleet with power failures, whose server refuses, closes, delays, loses answers and answers FAILURE', () => {
  it(`ends with exactly one device each, after at most three boots (FC_SEED=${SEED})`, async ({ onTestFinished }) => {
    const seed = String(SEED);
    const simulator = await startFleetSimulator(DEVICES, 0, seed);
    onTestFinished(() => simulator.close());
    const root = await makeFolder(onTestFinished);
    const server = {
      host: '127.0.0.1',
      port: simulator.port,
      useSsl: false,
      caFile: undefined,
      deviceKey: DEFAULT_DEVICE_KEY,
      deviceSecret: DEFAULT_DEVICE_SECRET,
    };
    await layOutFleet(root, DEVICES, { server, namePrefix: 'camera', timeoutSeconds: FAULTS_TIMEOUT_SECONDS });

    const paths = (index: number) => fleetDevice(root, index);
    const boot = bootsInProcess({ paths, killIn: faultPlan(seed, DEVICES).killIn, time: fastTime });
    const ends: DeviceEnd[] = [];
    await inFlight(DEVICES, CONCURRENCY, async (index) => {
      ends[index] = await bootUntilProvisioned(boot, index, BOOTS);
    });

    const report = simulator.report();
    expect(ends.filter(({ end }) => end !== 'provisioned')).toEqual([]);
    expect(await registryProblems(paths, [...ends.keys()], report)).toEqual([]);
    expect(report.devices).toHaveLength(DEVICES);
    expect(report.counts.faults).toBeGreaterThan(DEVICES / 5);
    expect(ends.some(({ boots }) => boots > 1)).toBe(true);
  });
});
