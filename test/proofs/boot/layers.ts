import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

export interface Layered {
  /** What a system on these layers sees as its root. */
  readonly root: string;
  /** What differs from the layers below. */
  readonly upper: string;
}

const call = promisify(execFile);

/**
 * A root file system of its own over others that stay as they are.
 * @param folder is created
 * @param lower topmost first
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
