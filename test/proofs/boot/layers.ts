import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

export interface Layered {
  /** The root folder of a system on these layers. */
  readonly root: string;
  /** The changes to the layers below. */
  readonly upper: string;
}

const call = promisify(execFile);

/**
 * Mounts a new root file system over layers that do not change.
 * @param folder folder of the mount, which is created
 * @param lower layers below, topmost first
 */
export async function mountLayers(folder: string, lower: readonly string[]): Promise<Layered> {
  const root = join(folder, 'root');
  const upper = join(folder, 'upper');
  const work = join(folder, 'work');
  for (const path of [folder, root, upper, work]) await mkdir(path, { mode: 0o755 });
  const options = `lowerdir=${lower.join(':')},upperdir=${upper},workdir=${work}`;
  await call('mount', ['-t', 'overlay', '-o', options, 'overlay', root]);
  return { root, upper };
}

export async function unmount(path: string): Promise<void> {
  await call('umount', [path]);
}
