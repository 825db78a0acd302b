import type { Property } from './property.ts';
import { SEED } from './seed.ts';

/** Enough for all cases on a busy machine. */
export const PROPERTY_LIMIT_MS = 120_000;

/** Checks a property in a test: with a moderate number of cases, from this process's seed. */
export const checkUsually = ({ holds, usualRuns }: Property): Promise<void> => holds({ seed: SEED, runs: usualRuns });
