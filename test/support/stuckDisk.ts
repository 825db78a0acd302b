import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { AtEnd } from './atEnd.ts';
import { makeFolder } from './deviceFolder.ts';

/** More than Node has threads for the file system, unless somebody has asked for very many. */
const BLOCKED_CALLS = 16;

/**
 * From now on no asynchronous file-system call of this process ends, as if the disk were stuck: every thread for them
 * waits at a FIFO that has no writer.
 * @returns what lets them all go on, in their order
 */
export async function stickDisk(atEnd: AtEnd): Promise<() => Promise<void>> {
  const fifo = join(await makeFolder(atEnd), 'fifo');
  execFileSync('mkfifo', [fifo]);
  const blocked = Array.from({ length: BLOCKED_CALLS }, () => open(fifo, 'r').then((handle) => handle.close()));
  let released = false;
  const release = async (): Promise<void> => {
    if (released) return;
    released = true;
    const writer = openSync(fifo, constants.O_RDWR);
    await Promise.all(blocked);
    closeSync(writer);
  };
  atEnd(release);
  return release;
}
