// Mutation testing: changes the sources in many small ways, and reports the changes that no test notices.
// npm run mutate -- FILE_OR_FOLDER... [--tests FOLDER]... [--whole-files] [--fresh]
import { existsSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Stryker } from '@stryker-mutator/core';

/** Tests of another room that judge a room: whole passes show what an effect promises. */
const MORE_TESTS = { effects: ['test/provision'] };
/** In the project, because Stryker's copy of the project finds node_modules from there. Git ignores it. */
const FOLDER = '.mutation';
/** Longer than a slow start of the tests on a busy machine. */
const TIME_LIMIT_MS = 10_000;

process.chdir(fileURLToPath(new URL('../..', import.meta.url)));

/** @returns the folders of tests for a source: src/state/credentials.ts → test/state */
function testsOf(source) {
  const room = source.replace(/^src\//, '').split('/')[0];
  return existsSync(`test/${room}`) ? [`test/${room}`, ...(MORE_TESTS[room] ?? [])] : ['test'];
}

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

const tests = new Set([...positionals.flatMap(testsOf), ...values.tests]);
// For vitest.config.ts, which processes of Stryker read.
process.env.MUTATE_WHOLE_FILES = values['whole-files'] ? '1' : '';
process.env.MUTATE_TESTS = JSON.stringify([...tests].map((path) => patternOf(path, '.test.ts')));
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
  // One for each choice of files, because Stryker's report shows everything in it.
  incrementalFile: `${FOLDER}/${positionals.join('+').replaceAll('/', '-')}.json`,
  force: values.fresh,
  reporters: ['clear-text', 'progress-append-only', 'html'],
  htmlReporter: { fileName: `${FOLDER}/report.html` },
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false },
  allowConsoleColors: false,
}).runMutationTest();
