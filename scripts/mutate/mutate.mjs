// Mutation testing: changes the sources in many small ways, and reports the changes that no test notices.
// npm run mutate -- FILE_OR_FOLDER... [--tests FOLDER]... [--whole-files] [--fresh]
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Stryker } from '@stryker-mutator/core';

/** Tests of another room that judge a room: whole passes show what an effect promises. */
const MORE_TESTS = { effects: ['test/provision'], provision: ['test/effects/finalize.test.ts'] };

/**
 * Tests of a room that are tried first; all of its tests try what survives. Nearly every whole pass reaches nearly every
 * line of the room, so with all of them a mutant that hangs takes minutes.
 */
const QUICK_TESTS = {
  effects: ['test/effects'],
  provision: [
    'conclude',
    'decideStartUp',
    'freshRun',
    'leftovers',
    'runLines',
    'snapshotHistory',
    'snapshotWriter',
    'startUp',
    'stuckStart',
  ].map((name) => `test/provision/${name}.test.ts`),
};

/** In the project, because Stryker's copy of the project finds node_modules from there. Git ignores it. */
const FOLDER = '.mutation';
/** Longer than a slow start of the tests on a busy machine. */
const TIME_LIMIT_MS = 10_000;

process.chdir(fileURLToPath(new URL('../..', import.meta.url)));

const roomOf = (source) => source.replace(/^src\//, '').split('/')[0];

/** @returns the folders of tests for a source: src/state/credentials.ts → test/state */
function testsOf(source) {
  const room = roomOf(source);
  return existsSync(`test/${room}`) ? [`test/${room}`, ...(MORE_TESTS[room] ?? [])] : ['test'];
}

const quickTestsOf = (source) => QUICK_TESTS[roomOf(source)] ?? testsOf(source);

/** @returns the pattern of a file, or of the files in a folder that end so */
function patternOf(path, ending) {
  return statSync(path).isDirectory() ? `${path.replace(/\/+$/, '')}/**/*${ending}` : path;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    tests: { type: 'string', multiple: true, default: [] },
    'whole-files': { type: 'boolean', default: false },
    fresh: { type: 'boolean', default: false },
  },
});
const missing = [...positionals, ...values.tests].filter((path) => !existsSync(path));
if (positionals.length === 0 || missing.length > 0) {
  for (const path of missing) console.error(`${path} does not exist.`);
  console.error('Usage: npm run mutate -- FILE_OR_FOLDER... [--tests FOLDER]... [--whole-files] [--fresh]');
  process.exit(64);
}

// One for each choice of files, because Stryker's report shows everything in it.
const incrementalFile = `${FOLDER}/${positionals.join('+').replaceAll('/', '-')}.json`;

/** Tests the mutants that are not in `incrementalFile`, and the survivors there that a further test reaches. */
async function tryMutants(tests, reporters) {
  // For vitest.config.ts, which processes of Stryker read.
  process.env.MUTATE_WHOLE_FILES = values['whole-files'] ? '1' : '';
  process.env.MUTATE_TESTS = JSON.stringify([...new Set(tests)].map((path) => patternOf(path, '.test.ts')));
  await new Stryker({
    mutate: positionals.map((path) => patternOf(path, '.ts')),
    testRunner: 'vitest',
    vitest: { configFile: 'scripts/mutate/vitest.config.ts' },
    // Stryker would read it with TypeScript's API, which TypeScript 7 does not have.
    tsconfigFile: 'none',
    coverageAnalysis: 'perTest',
    concurrency: 1,
    timeoutMS: TIME_LIMIT_MS,
    tempDirName: `${FOLDER}/sandbox`,
    ignorePatterns: [`/${FOLDER}`, '/dist', '/coverage'],
    incremental: true,
    incrementalFile,
    reporters: ['progress-append-only', ...reporters],
    htmlReporter: { fileName: `${FOLDER}/report.html` },
    clearTextReporter: { allowColor: false, logTests: false, reportTests: false },
    allowConsoleColors: false,
  }).runMutationTest();
}

/** A mutant that hangs is found. Stryker would try it again, with more tests and a longer time limit. */
function countHangingAsKilled() {
  const report = JSON.parse(readFileSync(incrementalFile, 'utf8'));
  for (const mutant of Object.values(report.files).flatMap(({ mutants }) => mutants)) {
    if (mutant.status !== 'Timeout') continue;
    Object.assign(mutant, { status: 'Killed', statusReason: 'The tests hung.', killedBy: mutant.coveredBy });
  }
  writeFileSync(incrementalFile, JSON.stringify(report));
}

const tests = [...positionals.flatMap(testsOf), ...values.tests];
if (values.fresh) rmSync(incrementalFile, { force: true });
if (positionals.some((source) => roomOf(source) in QUICK_TESTS) && !existsSync(incrementalFile)) {
  await tryMutants(positionals.flatMap(quickTestsOf), []);
  countHangingAsKilled();
}
await tryMutants(tests, ['clear-text', 'html']);
