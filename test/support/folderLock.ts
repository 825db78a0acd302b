import { readFileSync, statSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';

/** Whether anybody holds a lock of the folder: its socket's name ends in the folder's inode (src/device/lock.ts). */
export const isLocked = (folder: string): boolean =>
  new RegExp(`@thermal-provision/\\d+/${statSync(folder).ino}\\b`).test(readFileSync('/proc/net/unix', 'utf8'));

/** Resolves when nobody holds a lock of the folder any more. */
export async function unlocked(folder: string): Promise<void> {
  while (isLocked(folder)) await nextTurn();
}
