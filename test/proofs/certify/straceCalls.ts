/** Reads strace's output: which file-system calls a run makes, and which of them are worth a trial. */

import type { Errno } from './strace.ts';

/** One file-system call of a run. */
export interface Call {
  /** Its place in the trace. */
  readonly position: number;
  readonly name: string;
  /** The how-manieth call of that name in the trace, from 1. */
  readonly nth: number;
  readonly thread: string;
  /** The paths in its arguments: those of descriptors too. */
  readonly paths: readonly string[];
  /** openat with O_CREAT. */
  readonly creates: boolean;
  /** On an open file: permissions were checked when it was opened. */
  readonly onDescriptor: boolean;
}

const LINE = /^(?<thread>\d+) +(?<name>\w+)\((?<args>.*)$/;
const PATH = /"(?<quoted>\/[^"]*)"|\d+<(?<descriptor>\/[^>]*)>/g;

/** Calls that change what lies on the disk, or make a change durable. */
const CHANGING: ReadonlySet<string> = new Set([
  ...['write', 'pwrite64', 'writev', 'pwritev', 'ftruncate', 'fallocate', 'copy_file_range', 'sendfile'],
  ...['fsync', 'fdatasync', 'rename', 'renameat', 'renameat2', 'unlink', 'unlinkat', 'mkdir', 'mkdirat', 'rmdir'],
  ...['link', 'linkat', 'symlink', 'symlinkat', 'chmod', 'fchmod', 'fchmodat', 'chown', 'fchown', 'lchown'],
]);

/**
 * All calls in a trace, in their order. A call that another thread interrupted stands on two lines; the first counts.
 * Not `close`: it changes nothing on the disk, and Node ends with an assertion when it fails.
 */
export function callsIn(trace: string): readonly Call[] {
  const counts = new Map<string, number>();
  const calls: Call[] = [];
  for (const line of trace.split('\n')) {
    const { thread, name, args } = LINE.exec(line)?.groups ?? {};
    if (thread === undefined || name === undefined || args === undefined || name === 'close') continue;
    const nth = (counts.get(name) ?? 0) + 1;
    counts.set(name, nth);
    const paths = [...args.matchAll(PATH)].flatMap(({ groups }) => groups?.quoted ?? groups?.descriptor ?? []);
    const creates = name === 'openat' && args.includes('O_CREAT');
    calls.push({ position: calls.length, name, nth, thread, paths, creates, onDescriptor: /^\d/.test(args) });
  }
  return calls;
}

/** Calls on other paths left out, and counted anew, as strace counts them when it is told these paths only. */
export function callsOn(calls: readonly Call[], paths: readonly string[]): readonly Call[] {
  const counts = new Map<string, number>();
  return calls
    .filter((call) => call.paths.some((path) => paths.includes(path)))
    .map((call) => {
      const nth = (counts.get(call.name) ?? 0) + 1;
      counts.set(call.name, nth);
      return { ...call, nth };
    });
}

export const changes = ({ name, creates }: Call): boolean => creates || CHANGING.has(name);

const NEW_NAME: readonly Errno[] = ['ENOSPC', 'EIO', 'EROFS', 'EDQUOT', 'EACCES'];
const DATA: readonly Errno[] = ['ENOSPC', 'EIO', 'EDQUOT'];
const ATTRIBUTES: readonly Errno[] = ['EIO', 'EROFS'];

/** The errors that a call can return, by its page in section 2 of the Linux manual. */
const ERRORS: Readonly<Record<string, readonly Errno[]>> = {
  mkdir: NEW_NAME,
  rename: NEW_NAME,
  unlink: ['EIO', 'EROFS', 'EACCES'],
  write: DATA,
  pwrite64: DATA,
  writev: DATA,
  fsync: DATA,
  fchmod: ATTRIBUTES,
  chmod: ATTRIBUTES,
  fchown: ATTRIBUTES,
  chown: ATTRIBUTES,
  lchown: ATTRIBUTES,
  read: ['EIO'],
  getdents64: ['EIO'],
};

/** All others look at something, or open it for reading. */
export function errorsOf(call: Call): readonly Errno[] {
  if (call.creates) return NEW_NAME;
  return ERRORS[call.name] ?? (call.onDescriptor ? ['EIO'] : ['EIO', 'EACCES']);
}
