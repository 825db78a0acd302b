import { chown, lchown, readdir } from 'node:fs/promises';
import { join } from 'node:path';

const NOBODY = 65_534;

export const isRoot = process.geteuid?.() === 0;

/** Options for spawn: access checks apply to the child. Root passes every one, so for root it runs as nobody. */
export const unprivileged: { readonly uid?: number; readonly gid?: number } = isRoot
  ? { uid: NOBODY, gid: NOBODY }
  : {};

/** Makes a folder and all in it belong to the user that `unprivileged` stands for. */
export async function giveToUnprivileged(folder: string): Promise<void> {
  if (!isRoot) return;
  await chown(folder, NOBODY, NOBODY);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await giveToUnprivileged(path);
    else await lchown(path, NOBODY, NOBODY);
  }
}
