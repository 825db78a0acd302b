import { type ChildProcess, spawn } from 'node:child_process';
import { inject } from 'vitest';
import { z } from 'zod';
import type { AtEnd } from './atEnd.ts';
import type { Intrusion } from './intrusion.ts';

/** A line of the JSON log, with when it arrived (ms, monotonic). */
export type LogLine = z.infer<typeof lineSchema> & { readonly at: number };

const lineSchema = z.looseObject({
  time: z.iso.datetime(),
  level: z.enum(['error', 'warn', 'info', 'debug']),
  runId: z.string().nullable(),
  state: z.string().nullable(),
  attempt: z.int().nullable(),
  event: z.string().regex(/^[a-z]+\.[a-zA-Z]+$/),
  message: z.string().min(1),
  code: z.string().optional(),
  hint: z.string().optional(),
});

export interface AgentEnd {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Everything printed, standard output and standard error. */
  readonly output: string;
  /** The lines of the JSON log. */
  readonly log: readonly LogLine[];
  /** The lines on standard error that are not log lines. */
  readonly otherLines: readonly string[];
  /** ms, monotonic; the same clock as `LogLine.at`. */
  readonly startedAt: number;
  readonly endedAt: number;
}

export interface AgentOptions {
  /** Default `run`. */
  readonly command?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** The user that runs the agent, from `unprivileged`. */
  readonly user?: { readonly uid?: number; readonly gid?: number };
  readonly intrusions?: readonly Intrusion[];
  /** A program with arguments that starts the agent. */
  readonly wrapper?: readonly [string, ...string[]];
  /** After this many ms the agent is killed and the test fails. */
  readonly limitMs?: number;
}

export interface AgentProcess {
  readonly child: ChildProcess;
  readonly pid: number;
  /** @throws when the agent does not end by itself in time */
  readonly ended: Promise<AgentEnd>;
  /** Resolves at the first log line of this event; @throws when the agent ends without it */
  logged(event: string): Promise<LogLine>;
}

/** Longer than any step takes on a busy machine: an agent that needs more hangs. */
const DEFAULT_LIMIT_MS = 15_000;

function parseLine(text: string): z.infer<typeof lineSchema> | undefined {
  if (!text.startsWith('{')) return undefined;
  return lineSchema.parse(JSON.parse(text));
}

/** Starts the shipped program on a device folder, with its own environment, in the working directory of systemd (/). */
export function startAgent(atEnd: AtEnd, folder: string, options: AgentOptions = {}): AgentProcess {
  const { command = ['run'], env = {}, user = {}, intrusions = [], limitMs = DEFAULT_LIMIT_MS, wrapper } = options;
  const preload = intrusions.length > 0 || env.BROKEN_RANDOM !== undefined ? ['--import', inject('intruder')] : [];
  const [program, ...before] = [...(wrapper ?? []), process.execPath];
  const child = spawn(
    program ?? process.execPath,
    [...before, ...preload, inject('bundle'), ...command, '--dir', folder],
    {
      cwd: '/',
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { THERMAL_BOARD_ID: 'board-1', INTRUSIONS: JSON.stringify(intrusions), ...env },
      ...user,
    },
  );
  const startedAt = performance.now();
  const log: LogLine[] = [];
  const otherLines: string[] = [];
  let output = '';
  let errors = '';
  let notify = (): void => {};
  atEnd(() => void child.kill('SIGKILL'));

  child.stdout?.on('data', (chunk: Buffer) => {
    output += chunk.toString('utf8');
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    const text = chunk.toString('utf8');
    output += text;
    const lines = (errors + text).split('\n');
    errors = lines.pop() ?? '';
    for (const line of lines) {
      const record = parseLine(line);
      if (record === undefined) otherLines.push(line);
      else log.push({ ...record, at: performance.now() });
    }
    notify();
  });
  let over = false;
  const ended = new Promise<AgentEnd>((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`The agent did not end by itself within ${limitMs} ms. Its output:\n${output}`));
    }, limitMs);
    child.once('error', reject);
    child.once('close', (status, signal) => {
      clearTimeout(timer);
      over = true;
      notify();
      resolve({ status, signal, output, log, otherLines, startedAt, endedAt: performance.now() });
    });
  });
  // A test may wait for a log line first: without this handler the rejection would be unhandled.
  ended.catch(() => {});
  const logged = (event: string): Promise<LogLine> =>
    new Promise((resolve, reject) => {
      const before = notify;
      const look = (): void => {
        before();
        const found = log.find((line) => line.event === event);
        if (found !== undefined) resolve(found);
        else if (over) reject(new Error(`The agent ended without ${event}. Its output:\n${output}`));
      };
      notify = look;
      look();
    });
  if (child.pid === undefined) throw new Error('The agent could not be started');
  return { child, pid: child.pid, ended, logged };
}

/** Runs the shipped program on a device folder to its end. */
export const runAgentProcess = (atEnd: AtEnd, folder: string, options: AgentOptions = {}): Promise<AgentEnd> =>
  startAgent(atEnd, folder, options).ended;
