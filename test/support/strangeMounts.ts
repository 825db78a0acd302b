import { execFileSync, spawnSync } from 'node:child_process';
import { mkdir, rename, rm } from 'node:fs/promises';
import { onTestFinished } from 'vitest';

/** Why tests with bindfs are skipped. */
export const NO_BINDFS = 'only root with bindfs and /dev/fuse can do this';

/** Runs a command that only root may run, and not in every container. Returns whether it succeeded. */
const succeeds = (command: string, ...args: readonly string[]): boolean =>
  spawnSync(command, args, { stdio: 'ignore' }).status === 0;

/** Mounts a file over a file, as `docker run -v FILE:FILE` does. Returns whether this is possible here. */
export function mountOver(source: string, target: string): boolean {
  if (!succeeds('mount', '--bind', source, target)) return false;
  onTestFinished(() => void execFileSync('umount', ['-l', target]));
  return true;
}

/** Sets a flag of chattr, until the end of the test. Returns whether this is possible here. */
export function setFlag(flag: 'i' | 'a', path: string): boolean {
  if (process.geteuid?.() !== 0 || !succeeds('chattr', `+${flag}`, path)) return false;
  // A file that is gone has no flag.
  onTestFinished(() => void succeeds('chattr', `-${flag}`, path));
  return true;
}

/** Mounts bindfs over a folder, which shows the same files with other rules. Returns whether this is possible here. */
export async function bindfsOver(folder: string, options: readonly string[]): Promise<boolean> {
  const real = `${folder}.real`;
  await rename(folder, real);
  await mkdir(folder, { mode: 0o755 });
  const isMounted = succeeds('bindfs', ...options, real, folder);
  onTestFinished(async () => {
    if (isMounted) execFileSync('umount', ['-l', folder]);
    await rm(real, { recursive: true, force: true });
  });
  return isMounted;
}
