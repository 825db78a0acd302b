// Builds the Debian packages, checks them with lintian, and runs the tests that build packages for long:
// npm run check:deb. As root it installs lintian if necessary.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { aptInstall } from './aptInstall.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const LINTIAN = '/usr/bin/lintian';
const LIMIT_MS = 5 * 60 * 1000;
/** The check fails on errors; warnings are only shown. */
const FAIL_ON = 'error';

function obstacle() {
  if (!existsSync('/usr/bin/dpkg-deb')) return 'dpkg-deb is not installed';
  const why = existsSync(LINTIAN) ? undefined : aptInstall('lintian');
  return why === undefined ? undefined : `lintian is not installed, and ${why}`;
}

/** The tests say themselves why they are skipped. @returns the exit status */
function testPackages() {
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const args = [vitest, 'run', '--config', 'test/packaging/vitest.config.ts'];
  return spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit', timeout: LIMIT_MS }).status ?? 1;
}

const why = obstacle();
if (why !== undefined) {
  console.log(`SKIPPED: lintian on the Debian package: ${why}.`);
} else {
  const folder = mkdtempSync(join(tmpdir(), 'thermal-check-deb-'));
  try {
    for (const kind of [[], ['--standalone', '--arch', 'amd64', '--level', '0']]) {
      const build = ['scripts/packageDeb.mjs', '--outdir', folder, ...kind];
      execFileSync(process.execPath, build, { cwd: root, stdio: 'inherit' });
    }
    const debs = readdirSync(folder).map((name) => join(folder, name));
    const { status } = spawnSync(LINTIAN, ['--allow-root', '--fail-on', FAIL_ON, ...debs], {
      stdio: 'inherit',
      timeout: LIMIT_MS,
    });
    if (status === 0) console.log('lintian found no error');
    process.exitCode = status === 0 ? testPackages() : (status ?? 1);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
