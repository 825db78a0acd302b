import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AtEnd } from './atEnd.ts';
import { makeFolder } from './deviceFolder.ts';

/** Debian's package libfaketime. */
const library = readdirSync('/usr/lib')
  .map((architecture) => `/usr/lib/${architecture}/faketime/libfaketime.so.1`)
  .find((path) => existsSync(path));

/** Why this machine can't fake the wall clock of a process; undefined: it can. */
export const fakedClockProblem = library === undefined ? 'the Debian package libfaketime is not installed' : undefined;

export interface FakedClock {
  /** Environment of the process: fakes its wall clock, also for OpenSSL; its monotonic clock stays real. */
  readonly env: Readonly<Record<string, string>>;
  /** Sets the wall clock, which then runs on. @param time `YYYY-MM-DD hh:mm:ss`, UTC */
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
