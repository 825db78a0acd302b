// ThingsBoard's own clients against the simulator: npm run test:peers. They come from PyPI into a virtual environment of
// this script. Without Python, or without its packages, the tests are skipped with a message.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { aptInstall } from './aptInstall.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const REQUIREMENTS = join(root, 'test/proofs/peers/requirements.txt');
const INSTALL_LIMIT_MS = 10 * 60 * 1000;

/** @returns the Python of a virtual environment with the clients, or why there is none */
function environment() {
  const wanted = createHash('sha256').update(readFileSync(REQUIREMENTS)).digest('hex');
  const folder = join(root, 'node_modules/.cache/peers');
  const python = join(folder, 'bin/python');
  const mark = join(folder, 'requirements.sha256');
  if (existsSync(mark) && readFileSync(mark, 'utf8') === wanted) return { python };
  rmSync(folder, { recursive: true, force: true });
  const run = (command, ...args) => spawnSync(command, args, { encoding: 'utf8', timeout: INSTALL_LIMIT_MS });
  if (run('python3', '-c', 'import ensurepip, sys; sys.exit(sys.version_info < (3, 10))').status !== 0) {
    const why = aptInstall('python3', 'python3-venv');
    if (why !== undefined) return { why: `Python 3.10 with venv is missing, and ${why}` };
  }
  for (const [command, ...args] of [
    ['python3', '-m', 'venv', folder],
    [python, '-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', REQUIREMENTS],
  ]) {
    const { status, stderr, error } = run(command, ...args);
    if (status !== 0) return { why: `${command} failed: ${error?.message ?? stderr.trim().split('\n').at(-1)}` };
  }
  writeFileSync(mark, wanted);
  return { python };
}

const { python, why } = environment();
if (python === undefined) {
  console.log(`SKIPPED: ThingsBoard's own clients. ${why}.`);
} else {
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const { status } = spawnSync(process.execPath, [vitest, 'run', '--config', 'test/proofs/peers/vitest.config.ts'], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, PEERS_PYTHON: python },
  });
  process.exitCode = status ?? 1;
}
