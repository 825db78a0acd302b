import { execFileSync } from 'node:child_process';
import { onTestFinished } from 'vitest';
import { scratchFolder } from '../config/scratch.ts';

/** Why tests that mount a file system are skipped. */
export const MOUNT_REFUSED = 'only root may mount a file system, and not in every container';

/**
 * A folder with its own file system, unmounted after the test; undefined where mounting is not allowed.
 * @param options mount options of the tmpfs, for example `size=64k` or `ro`
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
