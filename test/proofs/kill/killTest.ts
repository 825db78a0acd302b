/** The kill test: after `kill -9` at random moments there is exactly one device and a complete configuration. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { useLastingTemporaryFolder } from '../../support/lastingFolder.ts';
import { type LoginSupplies, prepareLogins } from '../certify/logins.ts';
import { generateKillPlan, type KillPlan } from './killPlan.ts';
import { decisiveShare, percent, tallyKills } from './killTally.ts';
import { runKillTrial, type TrialResult } from './killTrial.ts';

const WORKERS = 3;
const MIN_DECISIVE_SHARE = 0.3;
/** A run takes longer with the other workers than in the measurement. */
const CROWD_FACTOR = 1.5;

export interface KillTestOptions {
  /** main.js of the bundle. */
  readonly program: string;
  readonly seed: string;
  /** Number of trials. */
  readonly runs: number;
}

interface Trial extends TrialResult {
  readonly plan: KillPlan;
}

const say = (text: string): void => void process.stdout.write(`${text}\n`);

/** Duration of a run without a kill, ms. */
async function measureRun(program: string, folder: string, supplies: LoginSupplies): Promise<number> {
  const scenario = { name: 'without-kill', server: {}, configured: true };
  const before = performance.now();
  const { problems } = await runKillTrial(program, folder, { scenario, configured: true, kills: [] }, supplies);
  if (problems.length > 0) throw new Error(`A run without a kill fails: ${problems.join('; ')}`);
  return performance.now() - before;
}

function report(trials: readonly Trial[], seconds: number): void {
  const kills = trials.flatMap((trial) => trial.kills);
  const names = [...new Set(trials.map(({ plan }) => plan.scenario.name))].sort();
  const count = (what: (trial: Trial) => boolean): number => trials.filter(what).length;
  say(`${trials.length} runs in ${seconds.toFixed(0)} s, ${kills.length} kills`);
  say(`  killed more than once in a row:  ${count((trial) => trial.kills.length > 1)} runs`);
  say(`  done before the kill:            ${count((trial) => trial.kills.length === 0)} runs`);
  say(`  more than one restart needed:    ${count(({ starts }) => starts > 1)} runs`);
  say('runs and kills by scenario:');
  for (const name of names) {
    const of = trials.filter(({ plan }) => plan.scenario.name === name);
    say(
      `  ${name.padEnd(28)}${String(of.length).padStart(5)} runs ${String(of.flatMap((trial) => trial.kills).length).padStart(5)} kills`,
    );
  }
  say(tallyKills(kills));
}

/** @returns whether all trials passed */
export async function killTest({ program, seed, runs }: KillTestOptions): Promise<boolean> {
  await useLastingTemporaryFolder();
  const root = await mkdtemp(join(tmpdir(), 'thermal-kill-'));
  say(`seed ${seed}: KILL_SEED=${seed} KILL_RUNS=${runs} repeats the same moments`);
  const supplies = await prepareLogins(root);
  const runMs = CROWD_FACTOR * (await measureRun(program, join(root, 'without-kill'), supplies));
  const started = performance.now();
  const trials: Trial[] = [];
  let failed = 0;
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < runs) {
      const index = next;
      next += 1;
      const folder = join(root, String(index));
      const plan = generateKillPlan(`${seed}/${index}`, runMs);
      const trial = await runKillTrial(program, folder, plan, supplies);
      trials.push({ ...trial, plan });
      if (trial.problems.length === 0) {
        await rm(folder, { recursive: true });
        continue;
      }
      failed += 1;
      const moments = plan.kills.map(({ after, delayMs }) => `${after} + ${delayMs.toFixed(1)} ms`).join(', ');
      say(`FAILED run ${index} (${plan.scenario.name}; kills at ${moments}), kept in ${folder}:`);
      for (const problem of trial.problems) say(`  - ${problem}`);
    }
  };
  await Promise.all(Array.from({ length: WORKERS }, work));
  report(trials, (performance.now() - started) / 1000);
  const share = decisiveShare(trials.flatMap(({ kills }) => kills));
  const enough = share >= MIN_DECISIVE_SHARE;
  if (!enough) say(`Too few kills between PUBLISH and the final rename: ${percent(share, 1)}`);
  if (failed === 0) await rm(root, { recursive: true });
  say(`${runs - failed} passed, ${failed} failed`);
  return failed === 0 && enough;
}
