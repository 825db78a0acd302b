/** Files that a killed run left may be visible without being durable: a start makes them durable before it uses them. */
import { mkdir, realpath, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { type DevicePaths, devicePaths } from '../../src/device/paths.ts';
import { cutIn, runDevice, scene } from '../support/agentRun.ts';
import { makeFolder } from '../support/deviceFolder.ts';
import { syncedPaths } from '../support/syncedPaths.ts';

/** The folders that a start syncs before its first state. */
async function syncedFirst(paths: DevicePaths): Promise<readonly string[]> {
  const synced = await syncedPaths(onTestFinished);
  let first: readonly string[] | undefined;
  await runDevice(paths, {
    onState: () => {
      first ??= [...synced];
    },
  });
  return first ?? synced;
}

test.each(['credentials', 'snapshot'] as const)(
  'when only %s is left, the device folder and the state folder are made durable',
  async (left) => {
    const { paths } = await scene();
    await cutIn(paths, 'verifyCredentials');
    await rm(paths[left === 'snapshot' ? 'credentials' : 'snapshot']);
    const [device, state] = [await realpath(paths.deviceFolder), await realpath(paths.stateFolder)];
    expect(await syncedFirst(paths)).toEqual([device, state]);
  },
);

test('without files of an earlier run the device folder suffices', async () => {
  const { paths } = await scene();
  await mkdir(paths.stateFolder, { mode: 0o700 });
  expect(await syncedFirst(paths)).toEqual([await realpath(paths.deviceFolder)]);
});

test('a state folder elsewhere is made durable in its own parent, too', async () => {
  const { paths } = await scene();
  const around = await makeFolder(onTestFinished);
  const elsewhere = devicePaths(paths.deviceFolder, join(around, 'state'));
  expect(await syncedFirst(elsewhere)).toEqual([await realpath(paths.deviceFolder), await realpath(around)]);
});
