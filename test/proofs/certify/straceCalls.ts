/** Reads the file-system calls of a run from strace's output, and classifies them. */

import type { Errno } from './strace.ts';

/** One file-system call of a run. */
export interface Call {
  /** Position in the trace. */
  readonly position: number;
  readonly name: string;
  /** The number of the call among those of its name in the trace, from 1. */
  readonly nth: number;
  readonly thread: string;
  /** The paths of the arguments, including those of descriptors. */
  readonly paths: readonly string[];
  /** Whether the call is openat with O_CREAT. */
  readonly creates: boolean;
  /** Whether the call acts on an open file: permissions were checked at its opening. */
  readonly onDescriptor: boolean;
}

const LINE = /^(?<thread>\d+) +(?<name>\w+)\((?<args>.*)$/;
const PATH = /"(?<quoted>\/[^"]*)"|\d+<(?<descriptor>\/[^>]*)>/g;

/** Calls that change the disk or make a change durable. */
const CHANGING: ReadonlySet<string> = new Set([
  ...['write', 'pwrite64', 'writev', 'pwritev', 'ftruncate', 'fallocate', 'copy_file_range', 'sendfile'],
  ...['fsync', 'fdatasync', 'rename', 'renameat', 'renameat2', 'unlink', 'unlinkat', 'mkdir', 'mkdirat', 'rmdir'],
  ...['link', 'linkat', 'symlink', 'symlinkat', 'chmod', 'fchmod', 'fchmodat', 'chown', 'fchown', 'lchown'],
]);

/**
 * All calls of a trace, in order. A call that another thread interrupts has two lines; the first one counts. `close` is
 * omitted: it does not change the disk, and Node ends with an assertion when it fails.
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

/** The calls on these paths, counted again, as strace counts them with these paths. */
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

/** The errors that a call can return, according to section 2 of the Linux manual. */
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

/** The errors of a call. All calls that are not in `ERRORS` only read. */
export function errorsOf(call: Call): readonly Errno[] {
  if (call.creates) return NEW_NAME;
  return ERRORS[call.name] ?? (call.onDescriptor ? ['EIO'] : ['EIO', 'EACCES']);
}
