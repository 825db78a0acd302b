/** strace: checks whether this machine has it, and makes the command lines that watch a program or inject faults. */

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
    // A minimal image has no package lists.
    await run('apt-get', ['update'], options);
    await run('apt-get', args, options);
  });
}

/** Installs strace if necessary. @returns why strace can't be used; undefined: it can */
export async function straceProblem(): Promise<string | undefined> {
  if (!(await isInstalled())) {
    if (process.geteuid?.() !== 0) return 'strace is not installed, and only root can install it';
    await install().catch(() => {});
    if (!(await isInstalled())) return 'strace could not be installed with apt-get';
  }
  return (await works()) ? undefined : "strace can't trace processes here (ptrace is not permitted)";
}

export type Errno = 'ENOSPC' | 'EIO' | 'EROFS' | 'EDQUOT' | 'EACCES';

/** A fault at a call of the program. */
export interface Tampering {
  readonly call: string;
  /** The number of the call on `paths`, from 1. strace counts for each call name and thread separately. */
  readonly nth: number;
  /** Whether the fault also strikes all later calls. */
  readonly lasting: boolean;
  /** The program is killed before the call, or the call fails with this error. */
  readonly effect: 'kill' | Errno;
  /** Exact paths. Calls on other paths are not counted. */
  readonly paths: readonly string[];
}

const common = (log: string, paths: readonly string[]): readonly string[] => [
  'strace',
  '-f',
  // Print descriptors with their paths.
  '-y',
  '-o',
  log,
  ...paths.flatMap((path) => ['-P', path]),
];

/** A command line that writes all file-system calls on these paths to a file. @param command program and arguments */
export const watching = (command: readonly string[], log: string, paths: readonly string[]): readonly string[] => [
  ...common(log, paths),
  '-e',
  'trace=%file,%desc',
  '--seccomp-bpf',
  ...command,
];

/** A command line that injects a fault at one call or from that call on. The log shows whether the fault struck. */
export function tampering(command: readonly string[], log: string, what: Tampering): readonly string[] {
  const { call, nth, lasting, effect, paths } = what;
  const does = effect === 'kill' ? 'signal=KILL' : `error=${effect}`;
  return [
    ...common(log, paths),
    '-e',
    `trace=${call}`,
    '-e',
    `inject=${call}:${does}:when=${nth}${lasting ? '+' : ''}`,
    // --seccomp-bpf is much faster, but with it injected signals never strike.
    ...(effect === 'kill' ? [] : ['--seccomp-bpf']),
    ...command,
  ];
}

/** Libuv's pool must have one thread: with more threads the counts would depend on the thread of each call. */
export const STRACE_ENV = { UV_THREADPOOL_SIZE: '1' };

/** Whether the fault has struck. @param log strace's log */
export const hasFired = (log: string, effect: Tampering['effect']): boolean =>
  effect === 'kill' ? log.includes('+++ killed by SIGKILL +++') : log.includes('(INJECTED)');
