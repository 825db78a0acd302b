// Builds the agent and the suites, then runs them: npm run certify [-- --full] [--only NAME] [--seed N]
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const program = `${root}node_modules/.cache/thermal-provision/certify.mjs`;
await import('./build.mjs');
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
const { status } = spawnSync(process.execPath, [program, ...process.argv.slice(2)], { cwd: root, stdio: 'inherit' });
process.exitCode = status ?? 1;
