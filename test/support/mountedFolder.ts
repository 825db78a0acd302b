import { execFileSync } from 'node:child_process';
import { onTestFinished } from 'vitest';
import { scratchFolder } from '../config/scratch.ts';

/** Why tests on file systems of their own are left out. */
export const MOUNT_REFUSED = 'only root may mount a file system, and not in every container';

/**
 * A folder on a file system of its own, unmounted after the test; undefined where that is not allowed.
 * @param options of the tmpfs, e.g. `size=64k` or `ro`
 */
export async function mountedFolder(options: string): Promise<string | undefined> {
  const folder = await scratchFolder();
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder], { stdio: 'ignore' });
  } catch {
    return undefined;
  }
  onTestFinished(() => {
    execFileSync('umount', ['-l', folder]);
  });
  return folder;
}
