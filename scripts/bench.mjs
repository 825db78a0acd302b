// Measures a boot, a run and normal operation (bench/main.ts): npm run bench -- --help
import { runTypeScript } from './runTypeScript.mjs';

process.exitCode = await runTypeScript('bench/main.ts', process.argv.slice(2));
