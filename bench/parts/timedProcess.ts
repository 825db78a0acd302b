import { spawn } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';

export interface TimedCommand {
  /** Path of node. */
  readonly node: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Default 0. */
  readonly expectedStatus?: number;
}

export interface Use {
  readonly ms: number;
  readonly cpuMs: number;
  readonly peakMb: number;
}

const useSchema = z.object({ cpuMs: z.number(), peakMb: z.number() });
const LIMIT_MS = 120_000;

/** Runs a command to its end, with standard error on a pipe as under systemd. @returns run time, ms */
async function run(command: TimedCommand, nodeArgs: readonly string[], env: Record<string, string>): Promise<number> {
  const { node, args, expectedStatus = 0 } = command;
  const startedAt = performance.now();
  const child = spawn(node, [...nodeArgs, ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { PATH: process.env.PATH ?? '', ...command.env, ...env },
    timeout: LIMIT_MS,
  });
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString('utf8');
  });
  let ms = 0;
  child.once('exit', () => {
    ms = performance.now() - startedAt;
  });
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (status === expectedStatus) return ms;
  throw new Error(`${[node, ...args].join(' ')} ended with ${status}, not ${expectedStatus}:\n${errors}`);
}

/** Run time of a command without a preload, ms. */
export const timeOf = (command: TimedCommand): Promise<number> => run(command, [], {});

/** Peak memory and CPU time of a command. @param scratch a temporary folder @param preload bench/reportUse.cjs */
export async function useOf(command: TimedCommand, scratch: string, preload: string): Promise<Omit<Use, 'ms'>> {
  const path = join(scratch, `use-${process.pid}.json`);
  await run(command, ['--require', preload], { BENCH_USE_FILE: path });
  const use = useSchema.parse(JSON.parse(await readFile(path, 'utf8')));
  await rm(path);
  return use;
}
