// The tests in a browser: Chromium. Without Chromium the tests are skipped with a message.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { findChromium } from './findChromium.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const { path, problem } = findChromium();

if (path === undefined) {
  console.log(`SKIPPED: the tests in a browser. There is no Chromium, and ${problem}.`);
} else {
  const vitest = `${root}node_modules/vitest/vitest.mjs`;
  const { status } = spawnSync(process.execPath, [vitest, 'run', '--config', 'test/proofs/browser/vitest.config.ts'], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, CHROMIUM: path },
  });
  process.exitCode = status ?? 1;
}
