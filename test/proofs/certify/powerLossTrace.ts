/** Every system call of one run of the agent that may change a file or tell the world something, read from strace. */

import { readFile, rm } from 'node:fs/promises';
import { agentCommand, runToEnd } from './agentProcess.ts';
import type { AgentEnding } from './invariants.ts';
import { STRACE_ENV } from './strace.ts';

export interface SystemCall {
  readonly name: string;
  /** As strace prints them, strings in hexadecimal. */
  readonly args: string;
  /** The strings among the arguments or, of a read, its result. */
  readonly strings: readonly Buffer[];
  /** The file descriptor in front, where there is one. */
  readonly descriptor: number | undefined;
  /** -1: it failed; undefined: it has begun, and may have taken effect for others already. */
  readonly result: number | undefined;
  /** strace gave the result instead of the kernel: nothing was done. */
  readonly injected: boolean;
}

export interface TraceOptions {
  readonly agent: string;
  readonly folder: string;
  /** Where strace writes to. */
  readonly output: string;
  /** Fault injection of strace's: `fsync:retval=0`. */
  readonly inject?: string | undefined;
}

export interface Trace {
  readonly calls: readonly SystemCall[];
  readonly ending: AgentEnding;
}

/** All calls of Linux's that change files, folders or the durability of either, and those that talk. */
const CALLS = [
  'open,openat,openat2,creat,close,close_range,dup,dup2,dup3,fcntl',
  'write,writev,pwrite64,pwritev,pwritev2,sendfile,copy_file_range,splice,truncate,ftruncate,fallocate',
  'rename,renameat,renameat2,unlink,unlinkat,mkdir,mkdirat,rmdir,link,linkat,symlink,symlinkat,mknod,mknodat',
  'chmod,fchmod,fchmodat,fsync,fdatasync,sync,syncfs,sync_file_range,io_uring_enter',
  'read,readv,recvfrom,recvmsg,sendto,sendmsg',
].join(',');
/** Above the largest chunk of the bundle, so that no string is cut off. */
const MAX_STRING = 16 * 1024 * 1024;

const LINE = /^\d+ +(?:<\.\.\. (?<resumed>\w+) resumed>|(?<name>\w+)\()(?<rest>.*)$/s;
const ENDED = /^(?<args>.*)\) += (?<result>-?\d+|0x[0-9a-f]+|\?).*$/s;
const UNFINISHED = / <unfinished \.\.\.>$/;
const STRING = /"((?:\\x[0-9a-f]{2})*)"(\.\.\.)?/g;

/** @throws when a string was cut off */
function stringsIn(args: string): Buffer[] {
  return [...args.matchAll(STRING)].map(([, hex = '', cut]) => {
    if (cut !== undefined) throw new Error('strace cut a string off');
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

/** Reads the output of `strace -f -y -xx`; a call that another thread interrupts in the trace is put together again. */
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
    if (args === undefined) throw new Error(`a line of strace's that is not understood: ${name}`);
    if (result === '?') continue;
    calls.push(toCall(name, args, Number(result), whole.endsWith('(INJECTED)')));
  }
  return calls;
}

/**
 * Runs the agent once under strace, its file-system calls one after the other.
 * @throws when strace can't be started, or prints what is not understood
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
  // It holds every secret of the run.
  await rm(output);
  return { calls, ending };
}
