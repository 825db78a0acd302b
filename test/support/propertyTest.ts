import type { Property } from './property.ts';
import { SEED } from './seed.ts';

/** Many cases take their time on a machine that has other things to do. */
export const PROPERTY_LIMIT_MS = 120_000;

/** Checks a property as a test does: a moderate number of cases, from this process's seed. */
export const checkUsually = ({ holds, usualRuns }: Property): Promise<void> => holds({ seed: SEED, runs: usualRuns });
