// The packages of a release, and how each is made.
import { execFileSync } from 'node:child_process';
import { chmod, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';

const LIMIT_MS = 30 * 60_000;
const MAX_TEXT_BYTES = 16 * 1024 * 1024;

/** Makes the package for npm. Its modes are those that git knows: npm packs what umask has made of them. */
async function packForNpm(run, root, folder) {
  run('node', 'scripts/build.mjs', '--sbom');
  const [{ files }] = JSON.parse(run('npm', 'pack', '--dry-run', '--json'));
  for (const { path, mode } of files) await chmod(join(root, path), (mode & 0o100) === 0 ? 0o644 : 0o755);
  run('npm', 'pack', '--silent', '--pack-destination', folder);
}

/** The package with a Node of its own, for an architecture. */
const standalone =
  (...options) =>
  (run, _root, folder) =>
    run('node', 'scripts/packageDeb.mjs', '--standalone', ...options, '--outdir', folder);

/** Name → what makes it: `run` runs a command in the project's folder, `folder` gets the package. */
const PACKAGES = {
  npm: packForNpm,
  deb: (run, _root, folder) => run('node', 'scripts/packageDeb.mjs', '--outdir', folder),
  'standalone-amd64': standalone('--arch', 'amd64'),
  'standalone-arm64': standalone('--arch', 'arm64'),
  'standalone-amd64-tar': standalone('--arch', 'amd64', '--format', 'tar'),
  'standalone-arm64-tar': standalone('--arch', 'arm64', '--format', 'tar'),
};
export const PACKAGE_NAMES = Object.keys(PACKAGES);

/**
 * Makes a package.
 * @param root the project's folder
 * @param name one of PACKAGE_NAMES
 * @param folder an empty folder for it, which is made
 * @param env further variables of the environment
 * @returns the name of its file
 * @throws when a command fails, or makes another number of files than one
 */
export async function makePackage(root, name, folder, env = {}) {
  const options = { cwd: root, encoding: 'utf8', timeout: LIMIT_MS, stdio: ['ignore', 'pipe', 'inherit'] };
  const run = (command, ...args) => execFileSync(command, args, { ...options, env: { ...process.env, ...env } });
  await mkdir(folder, { recursive: true });
  await PACKAGES[name](run, root, folder);
  const files = await readdir(folder);
  if (files.length !== 1) throw new Error(`the package ${name} is not one file, but ${files.join(', ') || 'none'}`);
  return files[0];
}

/**
 * @param file the path of a package: a .deb, or a compressed tar
 * @param ending the end of a path in it, which only one file has
 * @returns the content of this file, unzipped if it is a .gz
 * @throws when the package has no such file
 */
export function textIn(file, ending) {
  const tar = `tar --extract --to-stdout --wildcards '*/${ending}'`;
  const unpack = file.endsWith('.deb') ? `dpkg-deb --fsys-tarfile "$1" | ${tar}` : `${tar} --file "$1"`;
  const unzip = ending.endsWith('.gz') ? ' | gunzip' : '';
  const args = ['-o', 'pipefail', '-c', unpack + unzip, 'bash', file];
  return execFileSync('bash', args, { encoding: 'utf8', timeout: LIMIT_MS, maxBuffer: MAX_TEXT_BYTES });
}
