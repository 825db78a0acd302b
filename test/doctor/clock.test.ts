import { utimes } from 'node:fs/promises';
import { expect, it, onTestFinished } from 'vitest';
import { checkClock } from '../../src/doctor/clock.ts';
import { makeDeviceFolder } from '../support/deviceFolder.ts';

const DAY_MS = 86_400_000;

async function found(now: number): Promise<readonly [string | undefined, string | undefined]> {
  const { paths } = await makeDeviceFolder(onTestFinished, { port: 9 });
  const newest = new Date('2026-06-01T00:00:00Z');
  for (const path of [paths.provisionJson, paths.provisionTxt, paths.deviceFolder]) await utimes(path, 0, 0);
  await utimes(paths.thermalConfig, newest, newest);
  const [finding] = (await checkClock(paths, now)).findings;
  return [finding?.verdict, finding?.message];
}

it.each([
  ['1970-01-01T00:10:00Z', 'warning', /never set/],
  ['2023-12-31T23:59:59Z', 'warning', /never set/],
  ['2040-01-02T00:00:00Z', 'warning', /far ahead/],
  ['2026-05-30T00:00:00Z', 'warning', /thermal_config\.json is 2 days newer/],
  ['2026-05-31T23:59:30Z', 'passed', /the clock shows/],
  ['2026-06-02T00:00:00Z', 'passed', /the clock shows/],
])('assesses a clock at %s: %s', async (time, verdict, message) => {
  const [assessed, said] = await found(Date.parse(time));
  expect(assessed).toBe(verdict);
  expect(said).toMatch(message);
});

it('compares no files in an empty folder', async () => {
  const { paths } = await makeDeviceFolder(onTestFinished, { port: 9 });
  const elsewhere = Object.fromEntries(Object.keys(paths).map((key) => [key, '/nowhere/at/all']));
  const { findings } = await checkClock({ ...paths, ...elsewhere }, Date.now() - 100 * DAY_MS);
  expect(findings[0]?.verdict).toBe('passed');
});
