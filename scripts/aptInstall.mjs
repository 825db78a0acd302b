import { execFileSync } from 'node:child_process';

const LIMIT_MS = 5 * 60 * 1000;

/**
 * Installs Debian packages that a check needs; this needs root.
 * @returns why the packages could not be installed, or undefined
 */
export function aptInstall(...packages) {
  if (process.geteuid?.() !== 0) return `only root can install it (apt-get install ${packages.join(' ')})`;
  const apt = (...args) =>
    execFileSync('apt-get', args, {
      stdio: ['ignore', 'ignore', 'pipe'],
      timeout: LIMIT_MS,
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    });
  try {
    apt('update');
    apt('install', '--yes', '--no-install-recommends', ...packages);
    return undefined;
  } catch (error) {
    const why = String(error.stderr ?? '').trim() || error.message;
    return `apt-get could not install ${packages.join(', ')}: ${why.split('\n').at(-1)}`;
  }
}
