import type { Property } from './property.ts';

/** The seed of this file's random runs, shown in the test names. FC_SEED repeats a run. */
export const SEED = Number(process.env.FC_SEED ?? Math.trunc(Math.random() * 2 ** 31));

/** Enough for all cases on a busy machine. */
export const PROPERTY_LIMIT_MS = 120_000;

/** Checks a property in a test: with a moderate number of cases, from this process's seed. */
export const checkUsually = ({ holds, usualRuns }: Property): Promise<void> => holds({ seed: SEED, runs: usualRuns });
