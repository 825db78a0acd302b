import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { AtEnd } from './atEnd.ts';
import { makeFolder } from './deviceFolder.ts';

/** More than the number of Node's file-system threads (UV_THREADPOOL_SIZE). */
const BLOCKED_CALLS = 16;

/** A disk that can hang: every file-system thread then waits for a FIFO without a writer. */
export interface StickyDisk {
  /** From now on no asynchronous file-system call of this process ends. */
  stick(): void;
  /** Lets the calls continue, in their order. */
  release(): Promise<void>;
}

export async function stickyDisk(atEnd: AtEnd): Promise<StickyDisk> {
  const fifo = join(await makeFolder(atEnd), 'fifo');
  execFileSync('mkfifo', [fifo]);
  let blocked: Promise<void>[] = [];
  const release = async (): Promise<void> => {
    if (blocked.length === 0) return;
    const writer = openSync(fifo, constants.O_RDWR);
    await Promise.all(blocked);
    closeSync(writer);
    blocked = [];
  };
  atEnd(release);
  return {
    stick() {
      blocked = Array.from({ length: BLOCKED_CALLS }, () => open(fifo, 'r').then((handle) => handle.close()));
    },
    release,
  };
}

/** Makes the disk hang. @returns a function that releases the disk */
export async function stickDisk(atEnd: AtEnd): Promise<() => Promise<void>> {
  const { stick, release } = await stickyDisk(atEnd);
  stick();
  return release;
}
