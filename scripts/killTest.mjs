// The kill test (test/proofs/kill/). KILL_RUNS: number of runs (300); KILL_SEED: repeats an earlier test;
// KILL_PROGRAM: main.js of another bundle, to check that the test detects a broken agent.
import { execFileSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
// Below node_modules, so that Node finds the packages that are not in this bundle.
const folder = await mkdtemp(join(root, 'node_modules/.kill-test-'));
try {
  const outfile = join(folder, 'killTest.mjs');
  await build({
    entryPoints: [join(root, 'test/proofs/kill/killTest.ts')],
    outfile,
    bundle: true,
    packages: 'external',
    format: 'esm',
    platform: 'node',
    logLevel: 'warning',
  });
  const { KILL_SEED = String(randomInt(1e9)), KILL_RUNS = '300', KILL_PROGRAM } = process.env;
  if (KILL_PROGRAM === undefined) {
    await writeFile(join(folder, 'package.json'), '{"type":"module"}\n');
    execFileSync(process.execPath, [join(root, 'scripts/build.mjs'), join(folder, 'dist')]);
  }
  const { killTest } = await import(outfile);
  const program = KILL_PROGRAM ?? join(folder, 'dist/main.js');
  const well = await killTest({ program, seed: KILL_SEED, runs: Number(KILL_RUNS) });
  process.exitCode = well ? 0 : 1;
} finally {
  await rm(folder, { recursive: true });
}
