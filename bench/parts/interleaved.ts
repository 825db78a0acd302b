import { type TimedCommand, timeOf, type Use, useOf } from './timedProcess.ts';

export interface Contestant {
  readonly name: string;
  /** Called before each run, because each run needs its own folder. */
  command(): Promise<TimedCommand>;
}

export interface Medians extends Use {
  readonly name: string;
  readonly leastMs: number;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted[Math.floor(sorted.length / 2)];
  if (middle === undefined) throw new Error('no values');
  return middle;
}

/** Runs the contestants in turn, round by round, so that other load on the machine affects all of them. */
export async function interleaved(
  contestants: readonly Contestant[],
  options: { readonly runs: number; readonly scratch: string; readonly preload: string },
): Promise<readonly Medians[]> {
  const found = contestants.map(({ name }) => ({
    name,
    ms: [] as number[],
    cpuMs: [] as number[],
    peakMb: [] as number[],
  }));
  for (let round = 0; round < options.runs; round += 1) {
    for (const [index, contestant] of contestants.entries()) {
      const row = found[index];
      row?.ms.push(await timeOf(await contestant.command()));
      const use = await useOf(await contestant.command(), options.scratch, options.preload);
      row?.cpuMs.push(use.cpuMs);
      row?.peakMb.push(use.peakMb);
    }
  }
  return found.map(({ name, ms, cpuMs, peakMb }) => ({
    name,
    ms: median(ms),
    leastMs: Math.min(...ms),
    cpuMs: median(cpuMs),
    peakMb: median(peakMb),
  }));
}
