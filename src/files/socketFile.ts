import { chmod, chown, link } from 'node:fs/promises';
import { errnoOf } from '../failures/fileFailure.ts';
import { folderOwner } from './ownFiles.ts';

/**
 * Gives a file a further name, unless there is a file of that name.
 * @returns whether the file has the name now
 * @throws the system's error, for example where the file system has no hard links
 */
export async function nameFile(path: string, name: string): Promise<boolean> {
  try {
    await link(path, name);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Gives a socket file to its folder's owner alone. Without modes on the file system, the state folder protects it. */
export async function makeSocketPrivate(path: string): Promise<void> {
  const { owner } = await folderOwner(path);
  await chmod(path, 0o600).catch(() => {});
  if (owner !== undefined) await chown(path, owner.uid, owner.gid).catch(() => {});
}
