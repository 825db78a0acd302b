import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { inParallel } from '../inParallel.ts';
import { copyMutant } from '../mutants.ts';
import { partOf } from '../part.ts';
import { REMOVALS, type Removal } from '../selfTests/removals.ts';
import { violationsIn } from '../selfTests/runPart.ts';
import { straceProblem } from '../strace.ts';
import type { Suite, SuiteOptions, SuiteResult } from '../suite.ts';
import { certifyPowerLoss } from './powerLoss.ts';

async function violationsWithout({ by, ...what }: Removal, folder: string, options: SuiteOptions) {
  if (by === 'lying-disk') {
    await mkdir(folder);
    const part = partOf(what.scenario, what.trial);
    const { violations } = await certifyPowerLoss({
      ...options,
      full: false,
      workers: 1,
      scratch: folder,
      part,
      inject: 'fsync:retval=0',
      progress: () => {},
    });
    return violations;
  }
  await copyMutant(by, folder);
  return violationsIn(folder, what);
}

/** @returns why the suite has not detected the removal; undefined: detected */
async function problemOf(removal: Removal, folder: string, options: SuiteOptions): Promise<string | undefined> {
  try {
    const violations = await violationsWithout(removal, folder, options);
    if (violations.some((violation) => removal.says.test(violation))) return undefined;
    const [first] = violations;
    return first === undefined ? 'no violation' : `other violations only, such as: ${first}`;
  } catch (error) {
    return error instanceof Error ? error.message : 'an unknown error';
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function run(options: SuiteOptions): Promise<SuiteResult> {
  const skipped = await straceProblem();
  if (skipped !== undefined) return { points: 0, runs: 0, faults: 0, violations: [], skipped };
  const removals = REMOVALS.filter(({ by }) => options.part?.scenario.test(by) ?? true);
  const problems = await inParallel(
    removals,
    options.workers,
    (removal) => problemOf(removal, join(options.scratch, removal.by), options),
    options.progress,
  );
  return {
    points: removals.length,
    runs: removals.length,
    faults: removals.length,
    violations: removals.flatMap(({ by, suite }, index) => {
      const problem = problems[index];
      return problem === undefined ? [] : [`${by} is not detected by ${suite}: ${problem}`];
    }),
    table: {
      columns: ['protection removed', 'suite that detects it'],
      rows: removals.map(({ protection, suite }, index) => [
        protection,
        problems[index] === undefined ? `\`${suite}\`` : 'none',
      ]),
    },
  };
}

/** Runs a part of a suite with each mutant. The suite must report a violation about the removed protection. */
export const selfTests: Suite = {
  name: 'self-tests',
  shows: 'a suite of this certificate detects an agent without any one of its protections',
  run,
};
