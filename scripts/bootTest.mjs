// Boots Debian 13 with the package installed, in systemd-nspawn: npm run test:boot [-- --deb FILE] [-- test names]
// The tests run in their own namespaces, which disappear with all mounts and processes at the end.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { aptInstall } from './aptInstall.mjs';
import { bootImage } from './bootImage.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const TOOLS = {
  'systemd-nspawn': 'systemd-container',
  mmdebstrap: 'mmdebstrap',
  ip: 'iproute2',
  'mkfs.ext4': 'e2fsprogs',
  strace: 'strace',
};
const TEST_LIMIT_MS = 10 * 60 * 1000;
/** The mounts, processes and network of the tests end with these namespaces. */
const NAMESPACES = ['--mount', '--propagation', 'private', '--net', '--pid', '--fork', '--kill-child', '--mount-proc'];

const isThere = (tool) => ['/usr/bin', '/usr/sbin', '/bin', '/sbin'].some((folder) => existsSync(join(folder, tool)));

/** @returns why this machine can't boot containers, or undefined */
function obstacle() {
  if (process.platform !== 'linux') return 'containers need Linux';
  if (process.geteuid?.() !== 0) return 'only root may start containers';
  const mounts = ['sh', '-c', 'mount -t tmpfs tmpfs /mnt'];
  const { status, stderr } = spawnSync('unshare', [...NAMESPACES, ...mounts], { encoding: 'utf8' });
  if (status !== 0) return `namespaces are not available: ${String(stderr).trim() || 'no unshare'}`;
  const missing = Object.entries(TOOLS).filter(([tool]) => !isThere(tool));
  return missing.length === 0 ? undefined : aptInstall('debian-archive-keyring', ...missing.map(([, name]) => name));
}

/** Builds the Debian package from the checkout. @returns its path */
function buildPackage(folder) {
  execFileSync(process.execPath, [join(root, 'scripts/packageDeb.mjs'), '--outdir', folder], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const name = readdirSync(folder).find((one) => one.endsWith('.deb'));
  if (name === undefined) throw new Error('scripts/packageDeb.mjs made no package');
  return join(folder, name);
}

const { values, positionals } = parseArgs({ options: { deb: { type: 'string' } }, allowPositionals: true });
const started = performance.now();
/** @returns the image's folder, or why it can't be built: a failed download is not a failure of the agent */
function image() {
  const why = obstacle();
  if (why !== undefined) return { why };
  try {
    return { folder: bootImage() };
  } catch (error) {
    return { why: `no image of Debian 13 could be built: ${error.message}` };
  }
}

const { folder, why } = image();
if (folder === undefined) {
  console.log(`SKIPPED: the boot test. ${why}.`);
} else {
  const seconds = () => ((performance.now() - started) / 1000).toFixed(0);
  const work = mkdtempSync(join(tmpdir(), 'thermal-boot-'));
  try {
    console.log(`Debian 13 is ready after ${seconds()} s: ${folder}`);
    const deb = values.deb === undefined ? buildPackage(work) : resolve(values.deb);
    const command = [process.execPath, join(root, 'node_modules/vitest/vitest.mjs'), 'run'];
    const { status, error } = spawnSync(
      'unshare',
      [...NAMESPACES, '--', ...command, '--config', 'test/proofs/boot/vitest.config.ts', ...positionals],
      {
        cwd: root,
        stdio: 'inherit',
        timeout: TEST_LIMIT_MS,
        env: { ...process.env, BOOT_IMAGE: folder, BOOT_DEB: deb, BOOT_FOLDER: work },
      },
    );
    if (error !== undefined) console.error(`The boot test was stopped: ${error.message}`);
    process.exitCode = status ?? 1;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  console.log(`The boot test took ${seconds()} s.`);
}
