import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { useLastingTemporaryFolder } from '../../support/lastingFolder.ts';
import { type CertifiedSuite, certificate } from './certificate.ts';
import { partOf } from './part.ts';
import { suites } from './suites/index.ts';

const HELP = `npm run certify -- [options]
  --only NAME      one suite; may be repeated (default: all, which also writes docs/certificate.md):
                   ${suites.map(({ name }) => name).join(', ')}
  --scenario TEXT  only scenarios of the suite whose name matches this regular expression
  --trial TEXT     only trials of the suite whose text matches this regular expression
  --full           every point instead of a selection
  --agent MAIN.JS  another bundle (default: dist/main.js)
  --seed N         seed of everything random (default: 1)
  --workers N      trials at the same time (default: one for each core)
`;

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', short: 'h', default: false },
    full: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true, default: [] },
    scenario: { type: 'string' },
    trial: { type: 'string' },
    agent: { type: 'string', default: 'dist/main.js' },
    seed: { type: 'string', default: '1' },
    workers: { type: 'string', default: String(availableParallelism()) },
  },
});

if (values.help) {
  process.stdout.write(HELP);
  process.exit();
}

const chosen = suites.filter(({ name }) => values.only.length === 0 || values.only.includes(name));
if (chosen.length === 0) throw new Error(`no suite is named ${values.only.join(', ')}`);

const part = partOf(values.scenario, values.trial);
if (part !== undefined && values.only.length === 0) throw new Error('--scenario and --trial need --only');

await useLastingTemporaryFolder();
const results: CertifiedSuite[] = [];
for (const suite of chosen) {
  const scratch = await mkdtemp(join(tmpdir(), `certify-${suite.name}-`));
  await mkdir(scratch, { recursive: true });
  const startedAt = performance.now();
  let shown = 0;
  const result = await suite.run({
    full: values.full,
    agent: resolve(values.agent),
    scratch,
    workers: Number(values.workers),
    seed: Number(values.seed),
    part,
    progress(done, total) {
      if (performance.now() - shown < 5000 && done !== total) return;
      shown = performance.now();
      console.log(`  ${suite.name}: ${done} of ${total}`);
    },
  });
  await rm(scratch, { recursive: true, force: true });
  if (part !== undefined && result.runs === 0 && result.violations.length === 0 && result.skipped === undefined) {
    throw new Error(`${suite.name} has no such scenario or trial`);
  }
  const seconds = Math.round((performance.now() - startedAt) / 1000);
  const verdict =
    result.skipped ?? `${result.runs} runs, ${result.faults} faults, ${result.violations.length} violations`;
  console.log(`${suite.name}: ${verdict} (${seconds} s)`);
  for (const violation of result.violations.slice(0, 20)) console.log(`  VIOLATION ${violation}`);
  results.push({ suite, result });
}

const violated = results.filter(({ result }) => result.violations.length > 0).length;
const skipped = results.filter(({ result }) => result.skipped !== undefined).length;
// Only a complete run of the normal size is published, so that the page changes only with a count.
if (values.only.length === 0 && !values.full && skipped === 0) {
  const path = 'docs/certificate.md';
  const before = await readFile(path, 'utf8').catch(() => '');
  const after = certificate(results);
  if (before !== after) {
    await writeFile(path, after);
    console.log(`${path} has changed`);
  }
}
console.log(`${results.length - violated - skipped} passed, ${violated} failed, ${skipped} skipped`);
process.exitCode = violated > 0 ? 1 : 0;
