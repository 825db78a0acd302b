import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AtEnd } from './atEnd.ts';
import { makeFolder } from './deviceFolder.ts';

/** Debian's package libfaketime. */
const library = readdirSync('/usr/lib')
  .map((architecture) => `/usr/lib/${architecture}/faketime/libfaketime.so.1`)
  .find((path) => existsSync(path));

/** Why processes with a wall clock of their own can't be had here; undefined: they can. */
export const fakedClockProblem = library === undefined ? 'the Debian package libfaketime is not installed' : undefined;

export interface FakedClock {
  /** For the process: its wall clock, OpenSSL's included, is ours; its monotonic clock stays real. */
  readonly env: Readonly<Record<string, string>>;
  /** The wall clock jumps there at once, and goes on from there. @param time `YYYY-MM-DD hh:mm:ss`, UTC */
  set(time: string): void;
}

/** @param time `YYYY-MM-DD hh:mm:ss`, UTC */
export async function fakedClock(atEnd: AtEnd, time: string): Promise<FakedClock> {
  const file = join(await makeFolder(atEnd), 'time');
  const set = (to: string): void => writeFileSync(file, `@${to}\n`);
  set(time);
  return {
    env: {
      LD_PRELOAD: library ?? '',
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      DONT_FAKE_MONOTONIC: '1',
      TZ: 'UTC',
    },
    set,
  };
}
