import { expect, it } from 'vitest';
import { fleetResult, isWell } from '../../../bench/fleet/fleetResult.ts';
import { quantile } from '../../../bench/fleet/measures.ts';
import { resultTable } from '../../../bench/fleet/resultTable.ts';

const SETTING = { concurrency: 2, processes: true, server: 'here', folder: '/tmp', faults: null };
const MEASURED = {
  elapsedMs: 4000,
  cpuMs: 0,
  threadMs: null,
  memory: { baseBytes: 1, peakBytes: 2, keptBytes: 3, machineBytes: 4 },
  registry: undefined,
  problems: [],
};

it.each([
  [0.5, 2],
  [0.95, 4],
  [0.25, 1],
])('the quantile %d of 1, 2, 3, 4 is %d (nearest rank)', (share, value) => {
  expect(quantile([1, 2, 3, 4], share)).toBe(value);
});

it('counts successes, devices with several tries, and failures by their code', () => {
  const result = fleetResult(SETTING, {
    ...MEASURED,
    ends: [
      { ms: 10, end: 'provisioned', boots: 1, retries: 0 },
      { ms: 40, end: 'provisioned', boots: 3, retries: 0 },
      { ms: 30, end: 'provisioned', boots: 1, retries: 2 },
      { ms: 20, end: 'CONNECT_TIMEOUT', boots: 1, retries: 0 },
    ],
  });
  expect(result).toMatchObject({
    devices: 4,
    seconds: 4,
    devicesPerSecond: 1,
    succeeded: 3,
    retried: 2,
    boots: [3, 0, 1],
    failed: { CONNECT_TIMEOUT: 1 },
    msPerDevice: { p50: 20, p95: 40, p99: 40, max: 40 },
  });
  expect(isWell(result)).toBe(false);
  expect(resultTable([result])).toMatch(/^failed, by code +CONNECT_TIMEOUT 1$/m);
});

it('is well only without a problem on the server', () => {
  const ends = [{ ms: 1, end: 'provisioned', boots: 1, retries: 0 }];
  expect(isWell(fleetResult(SETTING, { ...MEASURED, ends }))).toBe(true);
  const wrong = fleetResult(SETTING, { ...MEASURED, ends, problems: ['no camera uses the device x'] });
  expect(isWell(wrong)).toBe(false);
  expect(resultTable([wrong])).toContain('PROBLEM: no camera uses the device x');
});
