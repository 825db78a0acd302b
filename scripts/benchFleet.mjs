// Provisions many devices at the same time (bench/fleet/): npm run bench:fleet -- --help
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { runTypeScript } from './runTypeScript.mjs';

const given = process.argv.slice(2);
if (given.includes('--processes') && !given.some((argument) => argument.startsWith('--agent'))) {
  const build = fileURLToPath(new URL('build.mjs', import.meta.url));
  const { status } = spawnSync(process.execPath, [build], { stdio: ['ignore', 2, 2] });
  if (status !== 0) throw new Error('the agent could not be built');
}
// Devices mostly wait for fsyncs: with Node's default of four threads the whole fleet would queue for them.
process.env.UV_THREADPOOL_SIZE ??= '32';
process.exitCode = await runTypeScript('bench/fleet/main.ts', given, ['--expose-gc']);
