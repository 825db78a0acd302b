// The acceptance suite (test/proofs/server/, docs/acceptance.md): npm run test:server [-- --mqtt … --rest … --user …].
// --agent MAIN.JS: another build of the agent. The suite runs in this process, so that Ctrl+C reaches it.
import { mkdtemp, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { buildAgentUnlessGiven } from './runTypeScript.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const given = process.argv.slice(2);
const { values } = parseArgs({ args: given, options: { agent: { type: 'string' } }, strict: false });
const program = resolve(typeof values.agent === 'string' ? values.agent : join(root, 'dist/main.js'));
buildAgentUnlessGiven(given);

// Below node_modules, so that Node finds the packages that are not in this bundle.
const folder = await mkdtemp(join(root, 'node_modules/.server-test-'));
const outfile = join(folder, 'serverTest.mjs');
try {
  await build({
    entryPoints: [join(root, 'test/proofs/server/main.ts')],
    outfile,
    bundle: true,
    packages: 'external',
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    logLevel: 'warning',
  });
  const { serverTest } = await import(outfile);
  process.exitCode = await serverTest(given, program, join(root, 'packaging/thingsboard/setup-profile.sh'));
} finally {
  await rm(folder, { recursive: true });
}
