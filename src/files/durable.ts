/**
 * Files that the promises rest on: whole and durable, or a failure. Log lines go through appendLimited.ts, notes for
 * people through note.ts; neither is durable.
 */

import { constants } from 'node:fs';
import { type FileHandle, open, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errnoOf, fileFailure, isENOENT } from '../failures/fileFailure.ts';

/** Owner and mode that a replaced file shall have. */
export interface FileAttributes {
  /** Permission bits, e.g. 0o600. */
  readonly mode: number;
  /** Owner and group to give the file; set only where they differ from the process's own. */
  readonly owner?: { readonly uid: number; readonly gid: number };
}

/** The name under which a file's new content grows before it replaces the old: predictable, in the same folder. */
export const temporaryPath = (path: string): string => `${path}.tmp`;

/** Creates `path` anew for writing. A leftover or planted file or link of that name is removed, never followed. */
async function createExclusive(path: string): Promise<FileHandle> {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  try {
    return await open(path, flags, 0o600);
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
    await unlink(path);
    return open(path, flags, 0o600);
  }
}

/** Makes the folder's entries durable: without this a rename may be gone after a power loss. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function writeTemporary(temporary: string, content: Uint8Array, attributes: FileAttributes): Promise<void> {
  const handle = await createExclusive(temporary);
  try {
    await handle.writeFile(content);
    if (attributes.owner !== undefined) await handle.chown(attributes.owner.uid, attributes.owner.gid);
    // After chown, which clears set-id bits; and explicit, because the umask took its part of the mode at open.
    await handle.chmod(attributes.mode);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Replaces a file so that at every instant, also after a power loss, the path holds the complete old or the complete
 * new content, and after the call the new one: temporary file in the same folder, write, fsync, rename, fsync of the
 * folder. A failed fsync is never repeated on the same descriptor; the temporary file is removed instead.
 * @param path the file itself, links resolved by the caller
 * @throws Failure DISK_FULL, DISK_ERROR, FOLDER_NOT_WRITABLE, FILE_NOT_PERMITTED
 */
export async function durableReplace(path: string, content: Uint8Array, attributes: FileAttributes): Promise<void> {
  const temporary = temporaryPath(path);
  try {
    await writeTemporary(temporary, content, attributes);
    await rename(temporary, path);
    await syncFolder(dirname(path));
  } catch (error) {
    // What the failed attempt left would only fill the disk; the first error is the one to report.
    await unlink(temporary).catch(() => {});
    throw fileFailure(error, `write ${path}`);
  }
}

/**
 * Renames within one folder and makes it durable. An existing target is replaced.
 * @throws Failure DISK_ERROR, FOLDER_NOT_WRITABLE, FILE_NOT_PERMITTED
 */
export async function durableRename(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
    await syncFolder(dirname(to));
  } catch (error) {
    throw fileFailure(error, `rename ${from} to ${to}`);
  }
}

/**
 * Removes a file and makes that durable; an absent file is no error.
 * @throws Failure DISK_ERROR, FOLDER_NOT_WRITABLE, FILE_NOT_PERMITTED
 */
export async function durableRemove(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (isENOENT(error)) return;
    throw fileFailure(error, `remove ${path}`);
  }
  await syncFolder(dirname(path)).catch((error: unknown) => {
    throw fileFailure(error, `remove ${path}`);
  });
}

/**
 * Makes durable what lies in a folder, whoever put it there and however far they came.
 * @throws Failure DISK_ERROR, FILE_NOT_PERMITTED
 */
export async function makeEntriesDurable(folder: string): Promise<void> {
  await syncFolder(folder).catch((error: unknown) => {
    throw fileFailure(error, `sync the folder ${folder}`);
  });
}
