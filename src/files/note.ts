import { constants } from 'node:fs';
import { open, unlink } from 'node:fs/promises';

/** Leaves a small file for people. Nothing depends on it, so it is neither synced nor an error when it can't be made. */
export async function leaveNote(path: string, text: string): Promise<void> {
  const flags =
    constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const handle = await open(path, flags, 0o600).catch(() => undefined);
  await handle?.writeFile(text).catch(() => {});
  await handle?.close().catch(() => {});
}

/** Removes a note. */
export async function removeNote(path: string): Promise<void> {
  await unlink(path).catch(() => {});
}
