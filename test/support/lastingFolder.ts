import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { readStorageSources, storageOf } from '../../src/files/storage.ts';

/**
 * Makes this process and its children use a temporary folder that outlasts a reboot. The agent refuses any other, and
 * /tmp is often in RAM.
 */
export async function useLastingTemporaryFolder(): Promise<void> {
  const inProject = resolve('node_modules/.cache/tests');
  const sources = await readStorageSources();
  for (const folder of [tmpdir(), '/var/tmp', inProject]) {
    if ((await storageOf(folder, sources)).kind === 'volatile') continue;
    await mkdir(folder, { recursive: true });
    process.env.TMPDIR = folder;
    return;
  }
  throw new Error('Every temporary folder is in RAM: set TMPDIR to a folder that outlasts a reboot');
}

/** Vitest's global set-up, before the folders of the tests are made. */
export default useLastingTemporaryFolder;
