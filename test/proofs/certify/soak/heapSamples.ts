/** Samples of the resources of an idle process, and a check that they do not grow. */

import { readdir } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

export interface Sample {
  /** Used heap after a garbage collection, bytes. */
  readonly heap: number;
  readonly descriptors: number;
  /** Number of listeners, timers and other objects that the soak counts. */
  readonly held: number;
}

/** About half a kilobyte for each of the 1,000 runs between the middles of the two quarters. */
const MAX_GROWTH = 512 * 1024;
/** Closed sockets and finished writes are released after a few turns of the event loop. */
const REST_MS = 50;

/** Needs node --expose-gc. */
export async function takeSample(held: () => number): Promise<Sample> {
  await delay(REST_MS);
  if (globalThis.gc === undefined) throw new Error('node --expose-gc is missing');
  globalThis.gc();
  await delay(1);
  globalThis.gc();
  const { heapUsed } = process.memoryUsage();
  return { heap: heapUsed, descriptors: (await readdir('/proc/self/fd')).length, held: held() };
}

const mean = (numbers: readonly number[]): number => numbers.reduce((sum, one) => sum + one, 0) / numbers.length;

/** Compares the second quarter with the last one. The first quarter warms up. */
export function growthProblems(what: string, samples: readonly Sample[]): string[] {
  const quarter = Math.floor(samples.length / 4);
  if (quarter === 0) return [`${what}: too few samples`];
  const heaps = samples.map(({ heap }) => heap);
  const grown = mean(heaps.slice(-quarter)) - mean(heaps.slice(quarter, 2 * quarter));
  const base = samples[quarter];
  const last = samples.at(-1);
  const kilobytes = heaps.map((heap) => Math.round(heap / 1024)).join(' ');
  return [
    ...(grown <= MAX_GROWTH ? [] : [`${what}: the heap grew by ${Math.round(grown / 1024)} kB: ${kilobytes}`]),
    ...(last?.descriptors === base?.descriptors
      ? []
      : [`${what}: ${base?.descriptors} descriptors became ${last?.descriptors}`]),
    ...(last?.held === base?.held ? [] : [`${what}: ${base?.held} listeners and timers became ${last?.held}`]),
  ];
}
