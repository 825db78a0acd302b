/** What a killed run left may be visible but not durable: its folders are synced before a start acts on their files. */
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { beforeEach, expect, it, vi } from 'vitest';
import { type DevicePaths, devicePaths } from '../../src/device/paths.ts';
import type * as durable from '../../src/files/durable.ts';
import { scratchFolder } from '../config/scratch.ts';
import { cutIn, runDevice, scene } from '../support/agentRun.ts';

const synced = vi.hoisted((): string[] => []);
vi.mock('../../src/files/durable.ts', async (importOriginal) => {
  const original = await importOriginal<typeof durable>();
  return {
    ...original,
    makeEntriesDurable: async (folder: string) => {
      await original.makeEntriesDurable(folder);
      synced.push(folder);
    },
  };
});
beforeEach(() => {
  synced.length = 0;
});

/** The folders that a start has synced when it first uses provision.txt. */
async function syncedFirst(paths: DevicePaths): Promise<readonly string[]> {
  synced.length = 0;
  let first: readonly string[] | undefined;
  const watched = {
    ...paths,
    get provisionTxt() {
      first ??= [...synced];
      return paths.provisionTxt;
    },
  };
  await runDevice(watched, { interruptIn: 'detect' });
  return first ?? [];
}

it('a first start syncs the device folder alone', async () => {
  const { paths } = await scene();
  expect(await syncedFirst(paths)).toEqual([paths.deviceFolder]);
});

it.each(['snapshot', 'credentials'] as const)(
  'a start with only the %s of an earlier run syncs both folders',
  async (kept) => {
    const { paths } = await scene();
    await cutIn(paths, 'verifyCredentials');
    await rm(kept === 'snapshot' ? paths.credentials : paths.snapshot);
    expect(await syncedFirst(paths)).toEqual([paths.deviceFolder, paths.stateFolder]);
  },
);

it('a start with a state folder elsewhere syncs the folder around it, too', async () => {
  const { paths: usual } = await scene();
  const paths = devicePaths(usual.deviceFolder, join(await scratchFolder(), 'state'));
  await cutIn(paths, 'verifyCredentials');
  expect(await syncedFirst(paths)).toEqual([paths.deviceFolder, dirname(paths.stateFolder), paths.stateFolder]);
});
