// Checks the project's shell scripts with shellcheck: npm run check:shell. As root it installs shellcheck if necessary.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { aptInstall } from './aptInstall.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const FOLDERS = ['.ci', 'packaging', 'scripts', 'test', 'bench'];
const LIMIT_MS = 60_000;

const isInstalled = () => spawnSync('shellcheck', ['--version']).status === 0;

/** Files that a shell starts. Their parts, which have no first line of this kind, are checked with them. */
function shellScripts() {
  const files = FOLDERS.flatMap((folder) => readdirSync(join(root, folder), { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  return files.filter((path) => /^#!.*\b(ba|da)?sh\b/.test(readFileSync(path, 'latin1'))).sort();
}

const why = isInstalled() ? undefined : aptInstall('shellcheck');
if (why !== undefined) {
  console.log(`SKIPPED: shellcheck is not installed, and ${why}.`);
} else {
  const scripts = shellScripts().map((path) => relative(root, path));
  const { status } = spawnSync('shellcheck', ['--external-sources', '--check-sourced', ...scripts], {
    cwd: root,
    stdio: 'inherit',
    timeout: LIMIT_MS,
  });
  if (status === 0) console.log(`shellcheck found nothing in ${scripts.join(', ')}`);
  process.exitCode = status ?? 1;
}
