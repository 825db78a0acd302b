import { chmod, cp, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { CONTESTS } from '../concurrency/contests.ts';
import { scenariosIn } from '../part.ts';
import type { Suite, SuiteOptions, SuiteResult } from '../suite.ts';

const ROUNDS = 3;
const FULL_ROUNDS = 20;

/** A copy of the agent, because other users may have no access to the checkout. */
async function readableCopy({ agent, scratch }: SuiteOptions): Promise<string> {
  await chmod(scratch, 0o755);
  await cp(dirname(agent), join(scratch, 'agent'), { recursive: true });
  await writeFile(join(scratch, 'package.json'), '{"type":"module"}\n');
  return join(scratch, 'agent', basename(agent));
}

/** Runs the contests in sequence, because each one starts many processes. */
async function run(options: SuiteOptions): Promise<SuiteResult> {
  const agent = await readableCopy(options);
  const rounds = options.full ? FULL_ROUNDS : ROUNDS;
  const contests = scenariosIn(CONTESTS, options.part);
  const violations: string[] = [];
  const held = new Set<string>();
  let runs = 0;
  let faults = 0;
  for (let round = 1; round <= rounds; round += 1) {
    for (const [index, { name, hold }] of contests.entries()) {
      const result = await hold(agent, join(options.scratch, `contest-${round}-${index}`));
      options.progress((round - 1) * contests.length + index + 1, rounds * contests.length);
      if (result === undefined) {
        if (round === 1) console.log(`  concurrency: skipped, it needs root or the permission to mount: ${name}`);
        continue;
      }
      held.add(name);
      runs += 1;
      faults += result.meetings;
      violations.push(...result.problems.map((problem) => `${name}, round ${round}: ${problem}`));
    }
  }
  return { points: held.size, runs, faults, violations };
}

export const concurrency: Suite = {
  name: 'concurrency',
  shows:
    'when several agents start on one folder, as any user and by any path, one provisions and the others end at once',
  run,
};
