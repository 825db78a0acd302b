// Builds the agent and the suites, then runs them:
// npm run certify [-- --full] [--only NAME] [--scenario PATTERN] [--trial PATTERN] [--seed N] [--agent MAIN.JS]
import { spawnSync } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const program = `${root}node_modules/.cache/thermal-provision/certify-${process.pid}.mjs`;
const given = process.argv.slice(2);
// Another build of the agent that is to be certified leaves dist/ as it is.
if (!given.some((argument) => argument.startsWith('--agent'))) {
  const { status } = spawnSync(process.execPath, [`${root}scripts/build.mjs`], { stdio: 'inherit' });
  if (status !== 0) throw new Error('the agent could not be built');
}
await build({
  absWorkingDir: root,
  entryPoints: ['test/certify/main.ts'],
  outfile: program,
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  packages: 'external',
  logLevel: 'warning',
});
const { status } = spawnSync(process.execPath, [program, ...given], { cwd: root, stdio: 'inherit' });
await rm(program, { force: true });
process.exitCode = status ?? 1;
