import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import { inParallel } from '../inParallel.ts';
import { scenariosIn } from '../part.ts';
import { fileModeTrials } from '../security/fileModes.ts';
import { openFolderTrials } from '../security/openFolders.ts';
import { plantedNameTrials } from '../security/plantedNames.ts';
import { agentForEverybody, isRoot, type SecurityTrial } from '../security/scene.ts';
import { secretFailures } from '../security/secretFailures.ts';
import { secretSuccesses } from '../security/secretSuccesses.ts';
import { trySecrets } from '../security/secretTrial.ts';
import type { Suite, SuiteOptions, SuiteResult } from '../suite.ts';

/** Many trials wait for pauses and time limits. */
const TRIALS_PER_WORKER = 2;

async function compileKeepCredentials(scratch: string): Promise<string> {
  const outfile = join(scratch, 'keepCredentials.mjs');
  const entry = 'test/proofs/certify/security/keepCredentials.ts';
  await build({ entryPoints: [entry], outfile, bundle: true, format: 'esm', platform: 'node', logLevel: 'warning' });
  await chmod(outfile, 0o644);
  return outfile;
}

async function run(options: SuiteOptions): Promise<SuiteResult> {
  const agent = await agentForEverybody(options.agent, options.scratch);
  const keepCredentials = await compileKeepCredentials(options.scratch);
  const secretTrials = [...secretFailures, ...secretSuccesses].map(
    (trial): SecurityTrial => ({
      name: `secrets: ${trial.name}`,
      run: (folder) => trySecrets(trial, folder, agent, keepCredentials),
    }),
  );
  const allTrials = [...secretTrials, ...plantedNameTrials, ...fileModeTrials, ...openFolderTrials];
  const trials = scenariosIn(allTrials, options.part);
  if (!isRoot) console.log('  security: trials with files or processes of another user are skipped, they need root');
  const violations: string[] = [];
  await inParallel(
    trials,
    options.workers * TRIALS_PER_WORKER,
    async (trial, index) => {
      const problems = await trial
        .run(join(options.scratch, `trial-${index}`), agent)
        .catch((error: unknown) => [`not carried out: ${error instanceof Error ? error.message : 'no reason given'}`]);
      violations.push(...problems.map((problem) => `${trial.name}: ${problem}`));
    },
    options.progress,
  );
  const faults = secretFailures.length + plantedNameTrials.length;
  return { points: trials.length, runs: trials.length, faults, violations };
}

export const security: Suite = {
  name: 'security',
  shows:
    'modes and owners are correct under any umask; links, hard links and FIFOs at every written name do no harm; open folders and foreign files are warned of, tightened or refused; no secret in any form is in files, output or visible process data (except the heap and its core files): keys, tokens, user names, passwords, private keys, board secrets',
  run,
};
