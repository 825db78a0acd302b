import { createHash } from 'node:crypto';

/** Random-looking numbers that are equal for equal seeds. */
export interface SeededRandom {
  /** A number from 0 to below 1. */
  next(): number;
  /** A whole number from 0 to below `count`. */
  below(count: number): number;
  pick<T>(items: readonly [T, ...T[]]): T;
}

/** @param seed any text; different seeds give unrelated numbers */
export function seededRandom(seed: string): SeededRandom {
  let generated = 0;
  const next = (): number => {
    generated += 1;
    return createHash('sha256').update(`${seed}/${generated}`).digest().readUInt32BE(0) / 2 ** 32;
  };
  const below = (count: number): number => Math.floor(next() * count);
  return { next, below, pick: (items) => items[below(items.length)] ?? items[0] };
}
