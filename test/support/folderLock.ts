import { readFileSync, statSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';

/** Whether a process holds the folder's lock: the socket's name ends with the folder's inode (src/device/lock.ts). */
export const isLocked = (folder: string): boolean =>
  new RegExp(`@thermal-provision/\\d+/${statSync(folder).ino}\\b`).test(readFileSync('/proc/net/unix', 'utf8'));

/** Resolves when no process holds the folder's lock any more. */
export async function unlocked(folder: string): Promise<void> {
  while (isLocked(folder)) await nextTurn();
}
