// The tests in a real browser. Chromium is Debian's package; root installs it, anybody else is told why nothing ran.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const NAMES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const INSTALL_LIMIT_MS = 10 * 60 * 1000;

const find = () => [process.env.CHROMIUM, ...NAMES].find((path) => path !== undefined && existsSync(path));

/** @returns why it could not be installed, or undefined */
function install() {
  if (process.geteuid?.() !== 0) return 'only root could install it (apt-get install chromium)';
  const apt = (...args) =>
    execFileSync('apt-get', args, {
      stdio: ['ignore', 'ignore', 'pipe'],
      timeout: INSTALL_LIMIT_MS,
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    });
  try {
    apt('update');
    apt('install', '--yes', '--no-install-recommends', 'chromium', 'fonts-liberation');
    return undefined;
  } catch (error) {
    return `apt-get could not install it: ${String(error.stderr ?? error.message)
      .trim()
      .split('\n')
      .at(-1)}`;
  }
}

let chromium = find();
const why = chromium === undefined ? install() : undefined;
chromium ??= find();
if (chromium === undefined) {
  console.log(`SKIPPED: the tests in a browser. There is no Chromium, and ${why ?? 'its package brought none'}.`);
} else {
  const vitest = `${root}node_modules/vitest/vitest.mjs`;
  const { status } = spawnSync(process.execPath, [vitest, 'run', '--config', 'test/browser/vitest.config.ts'], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, CHROMIUM: chromium },
  });
  process.exitCode = status ?? 1;
}
