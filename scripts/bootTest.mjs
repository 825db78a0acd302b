// Boots Debian 13 with the package installed, in systemd-nspawn: npm run test:boot [-- --deb FILE] [-- test names]
// The tests run in their own namespaces, which disappear with all mounts and processes at the end.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { bootImage } from './bootImage.mjs';
import { buildPackage, obstacle, runTests } from './containerTests.mjs';

const TOOLS = {
  'systemd-nspawn': 'systemd-container',
  mmdebstrap: 'mmdebstrap',
  ip: 'iproute2',
  'mkfs.ext4': 'e2fsprogs',
  strace: 'strace',
};
const TEST_LIMIT_MS = 10 * 60 * 1000;
const { values, positionals } = parseArgs({ options: { deb: { type: 'string' } }, allowPositionals: true });
const started = performance.now();
/** @returns the image's folder, or why it can't be built: a failed download is not a failure of the agent */
function image() {
  const why = obstacle(TOOLS);
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
    const deb = values.deb === undefined ? buildPackage(join(work, 'deb')) : resolve(values.deb);
    // Built here, because the tests have no network.
    const standalone = buildPackage(join(work, 'standalone'), '--standalone', '--level', '0');
    const env = { BOOT_IMAGE: folder, BOOT_DEB: deb, BOOT_STANDALONE: standalone, BOOT_FOLDER: work };
    process.exitCode = runTests('test/proofs/boot/vitest.config.ts', positionals, env, TEST_LIMIT_MS);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  console.log(`The boot test took ${seconds()} s.`);
}
