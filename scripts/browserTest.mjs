// The tests in a browser: Chromium, from Debian's package. As root this script installs it; without Chromium the tests
// are skipped with a message.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { aptInstall } from './aptInstall.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const NAMES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

const find = () => [process.env.CHROMIUM, ...NAMES].find((path) => path !== undefined && existsSync(path));

let chromium = find();
const why = chromium === undefined ? aptInstall('chromium', 'fonts-liberation') : undefined;
chromium ??= find();
if (chromium === undefined) {
  console.log(`SKIPPED: the tests in a browser. There is no Chromium, and ${why ?? 'its package contains none'}.`);
} else {
  const vitest = `${root}node_modules/vitest/vitest.mjs`;
  const { status } = spawnSync(process.execPath, [vitest, 'run', '--config', 'test/proofs/browser/vitest.config.ts'], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, CHROMIUM: chromium },
  });
  process.exitCode = status ?? 1;
}
