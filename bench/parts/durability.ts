/** Cost of durability: the fsyncs of a run, on a disk with slow fsyncs (strace). */

import { spawnSync } from 'node:child_process';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { median } from './interleaved.ts';
import type { Figure } from './result.ts';
import type { Bench } from './sections.ts';
import { timeOf } from './timedProcess.ts';

const SLOW_CARD_MS = 50;
const SYNCS = 'fsync,fdatasync,sync_file_range,syncfs,sync';

export const hasStrace = (): boolean => spawnSync('strace', ['--version']).status === 0;

interface Traced {
  readonly ms: number;
  readonly syncs: number;
}

/** @param folder device folder @param delayMs additional time of each fsync */
async function traced({ workshop, node }: Bench, folder: string, delayMs: number): Promise<Traced> {
  const output = join(workshop.scratch, 'strace.txt');
  const slow = delayMs === 0 ? [] : ['-e', `inject=fsync,fdatasync:delay_enter=${delayMs * 1000}`];
  const args = [
    '-f',
    '--seccomp-bpf',
    '-e',
    `trace=${SYNCS}`,
    ...slow,
    '-o',
    output,
    node,
    workshop.agent,
    'run',
    '--dir',
    folder,
  ];
  const ms = await timeOf({ node: 'strace', args });
  const lines = (await readFile(output, 'utf8')).split('\n');
  return { ms, syncs: lines.filter((line) => /^\d+ +\w*sync\w*\(/.test(line)).length };
}

export async function durability(bench: Bench): Promise<readonly Figure[]> {
  const idle = join(bench.workshop.scratch, 'idle');
  await mkdir(idle, { recursive: true });
  const boot = await traced(bench, idle, 0);
  const quick: Traced[] = [];
  const slow: Traced[] = [];
  for (let round = 0; round < Math.max(3, Math.ceil(bench.runs / 4)); round += 1) {
    quick.push(await traced(bench, await bench.workshop.deviceFolder(), 0));
    slow.push(await traced(bench, await bench.workshop.deviceFolder(), SLOW_CARD_MS));
  }
  const syncs = Math.max(...quick.map((run) => run.syncs));
  const [quickMs, slowMs] = [median(quick.map(({ ms }) => ms)), median(slow.map(({ ms }) => ms))];
  return [
    { what: 'fsyncs of a boot without work', value: boot.syncs, unit: '', goal: 0 },
    { what: 'fsyncs of a run', value: syncs, unit: '', goal: 20 },
    { what: 'run under strace', value: quickMs, unit: 'ms' },
    { what: `run with ${SLOW_CARD_MS} ms more for each fsync`, value: slowMs, unit: 'ms' },
    { what: 'fsyncs that it waited for', value: (slowMs - quickMs) / SLOW_CARD_MS, unit: '' },
  ];
}
