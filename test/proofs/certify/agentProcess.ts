import { spawn } from 'node:child_process';
import type { AgentEnding } from './invariants.ts';

/** Longer than any trial's run by far: who needs more has hung. */
const LIMIT_MS = 30_000;
const MAX_OUTPUT_BYTES = 1024 * 1024;

/**
 * Runs a program that ends in the agent (node itself, or strace around it) and waits for its end. After the limit it
 * is ended, with all that it has started.
 */
export function runToEnd(command: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<AgentEnding> {
  const [program = '', ...args] = command;
  return new Promise((resolve, reject) => {
    // A process group of its own: a tracer that is ended alone would leave its tracee behind.
    const child = spawn(program, args, {
      cwd: '/',
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env.PATH ?? '', THERMAL_BOARD_ID: 'board-1', ...env },
    });
    let output = '';
    let overdue = false;
    const timer = setTimeout(() => {
      overdue = true;
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    }, LIMIT_MS);
    const collect = (chunk: Buffer): void => {
      if (output.length < MAX_OUTPUT_BYTES) output += chunk.toString('utf8');
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    child.once('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.once('close', (status, signal) => {
      clearTimeout(timer);
      resolve({ status, signal, output, overdue });
    });
  });
}

/** The command line of one pass of the agent. @param more options of `run` */
export const agentCommand = (agent: string, folder: string, more: readonly string[] = []): readonly string[] => [
  process.execPath,
  agent,
  'run',
  '--dir',
  folder,
  ...more,
];
