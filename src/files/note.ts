import { constants } from 'node:fs';
import { open, unlink } from 'node:fs/promises';
import { folderOwner } from './ownFiles.ts';

/**
 * Leaves a small file for people, made anew: what lies there under its name may be a link to somebody else's file.
 * Nothing depends on it, so it is neither synced nor an error when it can't be made.
 */
export async function leaveNote(path: string, text: string): Promise<void> {
  await removeNote(path);
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  const handle = await open(path, flags, 0o600).catch(() => undefined);
  const { owner } = await folderOwner(path).catch(() => ({ owner: undefined }));
  if (owner !== undefined) await handle?.chown(owner.uid, owner.gid).catch(() => {});
  await handle?.writeFile(text).catch(() => {});
  await handle?.close().catch(() => {});
}

/** Removes a note. */
export async function removeNote(path: string): Promise<void> {
  await unlink(path).catch(() => {});
}
