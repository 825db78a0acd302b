import { mkdtemp, rm } from 'node:fs/promises';
import type { AtEnd } from './atEnd.ts';

/** A folder that a reboot loses. On Linux /dev/shm is a tmpfs. It is removed after the test. */
export async function folderInRam(atEnd: AtEnd): Promise<string> {
  const folder = await mkdtemp('/dev/shm/thermal-in-ram-');
  atEnd(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
