import { spawn } from 'node:child_process';
import type { AgentEnding } from './invariants.ts';

/** Much longer than any trial's run: an agent that needs more hangs. */
const LIMIT_MS = 30_000;
const MAX_OUTPUT_BYTES = 1024 * 1024;

/**
 * Runs node or strace with the agent, and waits for its end. After the limit it kills the program with all its
 * children.
 */
export function runToEnd(command: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<AgentEnding> {
  const [program = '', ...args] = command;
  return new Promise((resolve, reject) => {
    // Its own process group: killing only the tracer would leave the traced process running.
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

/** The command line of one run of the agent. @param more options of `run` */
export const agentCommand = (agent: string, folder: string, more: readonly string[] = []): readonly string[] => [
  process.execPath,
  agent,
  'run',
  '--dir',
  folder,
  ...more,
];
