// Tries the packages on the boards that people have: npm run test:boards [-- --board NAME …] [-- test names]
//   debian-12   boots Debian 12 with the standalone package in systemd-nspawn: a minute or two
//   arm64       Debian 13 for arm64 under qemu's emulation, with both packages: ten minutes
//   armhf       Debian 13 for 32-bit ARM under emulation, with the package for all architectures
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { bootImage } from './bootImage.mjs';
import { buildPackage, obstacle, runTests } from './containerTests.mjs';

const BOARDS = ['debian-12', 'arm64', 'armhf'];
const TOOLS = { 'systemd-nspawn': 'systemd-container', mmdebstrap: 'mmdebstrap', ip: 'iproute2' };
const EMULATOR = { 'qemu-aarch64-static': 'qemu-user-static', 'arch-test': 'arch-test' };
const TEST_LIMIT_MS = 2 * 3600 * 1000;

const BINFMT = '/proc/sys/fs/binfmt_misc';
/** The first bytes of programs for these processors (little-endian ELF, e_machine at 18), and who runs them. */
const FORMATS = {
  arm64: { bits: 2, machine: '\\xb7', interpreter: '/usr/bin/qemu-aarch64-static' },
  armhf: { bits: 1, machine: '\\x28', interpreter: '/usr/bin/qemu-arm-static' },
};

/**
 * Lets the kernel run programs of another processor, unless the machine does already.
 * @returns a function that undoes it
 */
function emulate(arch) {
  if (spawnSync('arch-test', [arch]).status === 0) return () => {};
  if (!existsSync(join(BINFMT, 'register'))) spawnSync('mount', ['-t', 'binfmt_misc', 'binfmt_misc', BINFMT]);
  const { bits, machine, interpreter } = FORMATS[arch];
  const magic = `\\x7fELF\\x0${bits}\\x01\\x01${'\\x00'.repeat(9)}\\x02\\x00${machine}\\x00`;
  // The ABI's byte may differ, and the type is a program (2) or a shared object (3).
  const mask = `${'\\xff'.repeat(7)}\\x00${'\\xff'.repeat(8)}\\xfe\\xff\\xff\\xff`;
  const name = `thermal-${arch}`;
  // F: the kernel opens the interpreter now, so that it is there inside of chroot.
  writeFileSync(join(BINFMT, 'register'), `:${name}:M::${magic}:${mask}:${interpreter}:OCF`);
  return () => writeFileSync(join(BINFMT, name), '-1');
}

/** @returns the image's folder; undefined, with a message, if it can't be had: that is not a failure of the agent */
function image(name) {
  try {
    return bootImage(name);
  } catch (error) {
    console.log(`SKIPPED: ${name}. Its image could not be built: ${error.message}`);
    return undefined;
  }
}

const { values, positionals } = parseArgs({
  options: { board: { type: 'string', multiple: true, default: BOARDS } },
  allowPositionals: true,
});
const unknown = values.board.filter((name) => !BOARDS.includes(name));
if (unknown.length > 0) throw new Error(`There is no board ${unknown.join(', ')}; the boards are ${BOARDS.join(', ')}`);
const emulated = values.board.filter((name) => name in FORMATS);

const why = obstacle({ ...TOOLS, ...(emulated.length > 0 ? EMULATOR : {}) });
if (why !== undefined) {
  console.log(`SKIPPED: the tests on boards. ${why}.`);
} else {
  const started = performance.now();
  const seconds = () => ((performance.now() - started) / 1000).toFixed(0);
  const work = mkdtempSync(join(tmpdir(), 'thermal-boards-'));
  const undo = [];
  try {
    for (const arch of emulated) undo.push(emulate(arch));
    // For comparison, amd64 is emulated as well.
    const names = [...values.board, ...(emulated.length > 0 ? ['debian-13'] : [])];
    const images = Object.fromEntries(names.map((name) => [name, image(name)]));
    const build = (name, ...options) => buildPackage(join(work, name), '--level', '0', ...options);
    const packages = {
      all: build('all'),
      amd64: build('amd64', '--standalone', '--arch', 'amd64'),
      ...(values.board.includes('arm64') ? { arm64: build('arm64', '--standalone', '--arch', 'arm64') } : {}),
      archive: build('archive', '--standalone', '--arch', 'amd64', '--format', 'tar'),
    };
    console.log(`The images and packages are ready after ${seconds()} s`);
    const env = { BOARD_IMAGES: JSON.stringify(images), BOARD_PACKAGES: JSON.stringify(packages), BOARD_FOLDER: work };
    process.exitCode = runTests('test/proofs/boards/vitest.config.ts', positionals, env, TEST_LIMIT_MS);
  } finally {
    for (const one of undo) one();
    rmSync(work, { recursive: true, force: true });
  }
  console.log(`The tests on boards took ${seconds()} s.`);
}
