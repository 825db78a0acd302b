/** strace as a tool: whether it can be used here, and the command line that watches or tampers with a program. */

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);
const INSTALL_LIMIT_MS = 180_000;
const CHECK_LIMIT_MS = 20_000;

const works = (): Promise<boolean> =>
  run('strace', ['-o', '/dev/null', '-e', 'trace=none', 'true'], { timeout: CHECK_LIMIT_MS }).then(
    () => true,
    () => false,
  );

async function isInstalled(): Promise<boolean> {
  return run('strace', ['-V'], { timeout: CHECK_LIMIT_MS }).then(
    () => true,
    () => false,
  );
}

async function install(): Promise<void> {
  const options = { timeout: INSTALL_LIMIT_MS, env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } };
  const args = ['install', '-y', '--no-install-recommends', 'strace'];
  await run('apt-get', args, options).catch(async () => {
    // A bare image has no lists of packages yet.
    await run('apt-get', ['update'], options);
    await run('apt-get', args, options);
  });
}

/** Makes sure that strace can be used, with Debian's package where it is missing. @returns why it can't be used */
export async function straceProblem(): Promise<string | undefined> {
  if (!(await isInstalled())) {
    if (process.geteuid?.() !== 0) return 'strace is not installed, and only root can install it';
    await install().catch(() => {});
    if (!(await isInstalled())) return 'strace could not be installed with apt-get';
  }
  return (await works()) ? undefined : 'strace may not trace processes here (ptrace is forbidden)';
}

export type Errno = 'ENOSPC' | 'EIO' | 'EROFS' | 'EDQUOT' | 'EACCES';

/** What is done to the program at one of its calls. */
export interface Tampering {
  readonly call: string;
  /** The how-manieth call on `paths`, from 1: strace counts for each call and thread by itself. */
  readonly nth: number;
  /** From that call on. */
  readonly lasting: boolean;
  /** Ended before the call is made, or told that it has failed. */
  readonly effect: 'kill' | Errno;
  /** Exact paths: other calls are not counted. */
  readonly paths: readonly string[];
}

const common = (log: string, paths: readonly string[]): readonly string[] => [
  'strace',
  '-f',
  // Descriptors with their paths.
  '-y',
  '-o',
  log,
  ...paths.flatMap((path) => ['-P', path]),
];

/** Writes all file-system calls on these paths to a file. @param command program and arguments */
export const watching = (command: readonly string[], log: string, paths: readonly string[]): readonly string[] => [
  ...common(log, paths),
  '-e',
  'trace=%file,%desc',
  '--seccomp-bpf',
  ...command,
];

/** Tampers with one call, or with that call from there on. The file shows whether it happened. */
export function tampering(command: readonly string[], log: string, what: Tampering): readonly string[] {
  const { call, nth, lasting, effect, paths } = what;
  const does = effect === 'kill' ? 'signal=KILL' : `error=${effect}`;
  return [
    ...common(log, paths),
    '-e',
    `trace=${call}`,
    '-e',
    `inject=${call}:${does}:when=${nth}${lasting ? '+' : ''}`,
    // Much faster, but with it injected signals never fire.
    ...(effect === 'kill' ? [] : ['--seccomp-bpf']),
    ...command,
  ];
}

/** Libuv's pool must have one thread, or the counts would depend on which one takes the work. */
export const STRACE_ENV = { UV_THREADPOOL_SIZE: '1' };

/** Whether what `tampering` wanted has happened. @param log what strace has written */
export const hasFired = (log: string, effect: Tampering['effect']): boolean =>
  effect === 'kill' ? log.includes('+++ killed by SIGKILL +++') : log.includes('(INJECTED)');
