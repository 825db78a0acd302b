// What the tests with containers have in common: their namespaces, and the packages that they install.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { aptInstall } from './aptInstall.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
/** The mounts, processes and network of the tests end with these namespaces. */
const NAMESPACES = ['--mount', '--propagation', 'private', '--net', '--pid', '--fork', '--kill-child', '--mount-proc'];

const isThere = (tool) => ['/usr/bin', '/usr/sbin', '/bin', '/sbin'].some((folder) => existsSync(join(folder, tool)));

/**
 * Installs missing tools.
 * @param tools name of each program → Debian's package with it
 * @returns why this machine can't run containers, or undefined
 */
export function obstacle(tools) {
  if (process.platform !== 'linux') return 'containers need Linux';
  if (process.geteuid?.() !== 0) return 'only root may start containers';
  const mounts = ['sh', '-c', 'mount -t tmpfs tmpfs /mnt'];
  const { status, stderr } = spawnSync('unshare', [...NAMESPACES, ...mounts], { encoding: 'utf8' });
  if (status !== 0) return `namespaces are not available: ${String(stderr).trim() || 'no unshare'}`;
  const missing = Object.entries(tools).filter(([tool]) => !isThere(tool));
  return missing.length === 0 ? undefined : aptInstall('debian-archive-keyring', ...missing.map(([, name]) => name));
}

/**
 * Builds a package from the checkout.
 * @param folder a folder of its own, which is created
 * @param options options of scripts/packageDeb.mjs
 * @returns its path
 */
export function buildPackage(folder, ...options) {
  execFileSync(process.execPath, [join(root, 'scripts/packageDeb.mjs'), '--outdir', folder, ...options], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [name] = readdirSync(folder);
  if (name === undefined) throw new Error('scripts/packageDeb.mjs made no package');
  return join(folder, name);
}

/** Runs vitest in namespaces of its own, with these variables. @returns its exit status */
export function runTests(config, names, env, limitMs) {
  const command = [process.execPath, join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--config', config, ...names];
  const { status, error } = spawnSync('unshare', [...NAMESPACES, '--', ...command], {
    cwd: root,
    stdio: 'inherit',
    timeout: limitMs,
    env: { ...process.env, ...env },
  });
  if (error !== undefined) console.error(`The tests were stopped: ${error.message}`);
  return status ?? 1;
}
