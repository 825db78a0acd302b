import { chown, lchown, readdir } from 'node:fs/promises';
import { join } from 'node:path';

const NOBODY = 65_534;

export const isRoot = process.geteuid?.() === 0;

/** Options for spawn that make access checks apply to the child. Root passes every check: its child runs as nobody. */
export const unprivileged: { readonly uid?: number; readonly gid?: number } = isRoot
  ? { uid: NOBODY, gid: NOBODY }
  : {};

/** Gives a folder with all its files to the user of `unprivileged`. */
export async function giveToUnprivileged(folder: string): Promise<void> {
  if (!isRoot) return;
  await chown(folder, NOBODY, NOBODY);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await giveToUnprivileged(path);
    else await lchown(path, NOBODY, NOBODY);
  }
}
