// Keeps interrupted device folders of this version for the upgrade suite (test/certify/upgrade/): once, at its release.
import { spawnSync } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const program = `${root}node_modules/.cache/thermal-provision/make-fixtures.mjs`;
await build({
  absWorkingDir: root,
  entryPoints: ['test/certify/upgrade/makeFixtures.ts'],
  outfile: program,
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  packages: 'external',
  logLevel: 'warning',
});
const { status } = spawnSync(process.execPath, [program], { cwd: root, stdio: 'inherit' });
await rm(program, { force: true });
process.exitCode = status ?? 1;
