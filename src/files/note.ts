import { constants } from 'node:fs';
import { open, unlink } from 'node:fs/promises';
import { folderOwner } from './ownFiles.ts';

/**
 * Writes a small file for people. Removes an existing file first, because it may be a link to another user's file.
 * Nothing depends on the note, so it is not synced, and errors are ignored.
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

/** Removes a note. Errors are ignored. */
export async function removeNote(path: string): Promise<void> {
  await unlink(path).catch(() => {});
}
