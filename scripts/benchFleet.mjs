// Provisions many devices at the same time (bench/fleet/): npm run bench:fleet -- --help
import { buildAgentUnlessGiven, runTypeScript } from './runTypeScript.mjs';

const given = process.argv.slice(2);
if (given.includes('--processes')) buildAgentUnlessGiven(given);
// Devices mostly wait for fsyncs: with Node's default of four threads the whole fleet would queue for them.
process.env.UV_THREADPOOL_SIZE ??= '32';
process.exitCode = await runTypeScript('bench/fleet/main.ts', given, ['--expose-gc']);
