/** Reads strace's output: the system calls of a run that may change a file or send or print something. */

import { readFile, rm } from 'node:fs/promises';
import { agentCommand, runToEnd } from './agentProcess.ts';
import type { AgentEnding } from './invariants.ts';
import { STRACE_ENV } from './strace.ts';

export interface SystemCall {
  readonly name: string;
  /** The arguments as strace prints them, with strings in hexadecimal. */
  readonly args: string;
  /** The strings among the arguments, or the result of a read. */
  readonly strings: readonly Buffer[];
  /** The file descriptor, if it is the first argument. */
  readonly descriptor: number | undefined;
  /** -1: the call failed; undefined: the call has started and may already have taken effect. */
  readonly result: number | undefined;
  /** Whether strace injected the result: the kernel did nothing. */
  readonly injected: boolean;
}

export interface TraceOptions {
  readonly agent: string;
  readonly folder: string;
  /** File for strace's output. */
  readonly output: string;
  /** strace's fault injection, for example `fsync:retval=0`. */
  readonly inject?: string | undefined;
}

export interface Trace {
  readonly calls: readonly SystemCall[];
  readonly ending: AgentEnding;
}

/** All Linux calls that change files, folders or their durability, or that send or print. */
const CALLS = [
  'open,openat,openat2,creat,close,close_range,dup,dup2,dup3,fcntl',
  'write,writev,pwrite64,pwritev,pwritev2,sendfile,copy_file_range,splice,truncate,ftruncate,fallocate',
  'rename,renameat,renameat2,unlink,unlinkat,mkdir,mkdirat,rmdir,link,linkat,symlink,symlinkat,mknod,mknodat',
  'chmod,fchmod,fchmodat,fsync,fdatasync,sync,syncfs,sync_file_range,io_uring_enter',
  'read,readv,recvfrom,recvmsg,sendto,sendmsg',
].join(',');
/** Larger than any part of the bundle, so that strace truncates no string. */
const MAX_STRING = 16 * 1024 * 1024;

const LINE = /^\d+ +(?:<\.\.\. (?<resumed>\w+) resumed>|(?<name>\w+)\()(?<rest>.*)$/s;
const ENDED = /^(?<args>.*)\) += (?<result>-?\d+|0x[0-9a-f]+|\?).*$/s;
const UNFINISHED = / <unfinished \.\.\.>$/;
const STRING = /"((?:\\x[0-9a-f]{2})*)"(\.\.\.)?/g;

/** @throws when strace has truncated a string */
function stringsIn(args: string): Buffer[] {
  return [...args.matchAll(STRING)].map(([, hex = '', truncated]) => {
    if (truncated !== undefined) throw new Error('strace truncated a string');
    return Buffer.from(hex.replaceAll('\\x', ''), 'hex');
  });
}

function toCall(name: string, args: string, result: number | undefined, injected: boolean): SystemCall {
  const descriptor = /^\d+/.exec(args)?.[0];
  return {
    name,
    args,
    strings: stringsIn(args),
    descriptor: descriptor === undefined ? undefined : Number(descriptor),
    result,
    injected,
  };
}

/** Parses the output of `strace -f -y -xx`, and joins the two lines of a call that another thread interrupts. */
export function parseTrace(text: string): SystemCall[] {
  const calls: SystemCall[] = [];
  const begun = new Map<string, string>();
  for (const line of text.split('\n')) {
    const { resumed, name = resumed, rest = '' } = LINE.exec(line)?.groups ?? {};
    if (name === undefined) continue;
    const key = `${line.slice(0, line.indexOf(' '))} ${name}`;
    const whole = resumed === undefined ? rest : `${begun.get(key) ?? ''}${rest}`;
    begun.delete(key);
    if (UNFINISHED.test(whole)) {
      const args = whole.replace(UNFINISHED, '');
      begun.set(key, args);
      calls.push(toCall(name, args, undefined, false));
      continue;
    }
    const { args, result } = ENDED.exec(whole)?.groups ?? {};
    if (args === undefined) throw new Error(`unknown line format of strace: ${name}`);
    if (result === '?') continue;
    calls.push(toCall(name, args, Number(result), whole.endsWith('(INJECTED)')));
  }
  return calls;
}

/**
 * Runs the agent under strace, with one file-system call at a time.
 * @throws when strace can't be started or prints an unknown format
 */
export async function traceAgent({ agent, folder, output, inject }: TraceOptions): Promise<Trace> {
  const watching = [
    '-f',
    '-y',
    '-xx',
    '-s',
    String(MAX_STRING),
    '-o',
    output,
    '-e',
    'signal=none',
    '-e',
    `trace=${CALLS}`,
  ];
  const injection = inject === undefined ? [] : ['-e', `inject=${inject}`];
  const command = agentCommand(agent, folder, ['--log-format', 'json']);
  const ending = await runToEnd(['strace', ...watching, ...injection, ...command], STRACE_ENV);
  const calls = parseTrace(await readFile(output, 'latin1'));
  // The file holds every secret of the run.
  await rm(output);
  return { calls, ending };
}
