import { execFileSync } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { Failure } from '../../src/failures/failure.ts';

/** A new folder that any user may enter. It is removed after the test. */
export async function scratchFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'thermal-config-'));
  await chmod(folder, 0o755);
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Writes a file with exactly this mode for any umask. */
export async function put(path: string, content: string | Uint8Array, mode = 0o644): Promise<string> {
  await writeFile(path, content);
  await chmod(path, mode);
  return path;
}

export const makeFifo = (path: string): void => {
  execFileSync('mkfifo', [path]);
};

/** Runs as an ordinary user, because root passes every access check. Vitest runs each test file in its own process. */
export async function asOrdinaryUser<T>(run: () => Promise<T>): Promise<T> {
  const { geteuid, seteuid } = process;
  if (geteuid === undefined || seteuid === undefined || geteuid() !== 0) return run();
  seteuid(65_534);
  try {
    return await run();
  } finally {
    seteuid(0);
  }
}

/** The Failure that the work throws. Anything else fails the test. */
export async function failureOf(run: () => unknown): Promise<Failure> {
  try {
    await run();
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
  throw new Error('expected a Failure');
}

/** Everything of a failure that a log, status or terminal could show. */
export function everyWordOf(failure: Failure): string {
  const words = [failure.message, failure.hint, String(failure.stack)];
  for (let cause = failure.cause; cause instanceof Error; cause = cause.cause)
    words.push(cause.message, String(cause.stack));
  return words.join('\n');
}
