// Builds the agent and the suites, then runs them:
// npm run certify [-- --full] [--only NAME] [--scenario PATTERN] [--trial PATTERN] [--seed N] [--agent MAIN.JS]
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { runTypeScript } from './runTypeScript.mjs';

const given = process.argv.slice(2);
// With --agent another build is certified: dist/ stays unchanged.
if (!given.some((argument) => argument.startsWith('--agent'))) {
  const build = fileURLToPath(new URL('build.mjs', import.meta.url));
  const { status } = spawnSync(process.execPath, [build], { stdio: 'inherit' });
  if (status !== 0) throw new Error('the agent could not be built');
}
process.exitCode = await runTypeScript('test/proofs/certify/main.ts', given);
