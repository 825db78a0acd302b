/**
 * Durable writes: the file is complete and durable, or the call fails. Log lines (appendLimited.ts) and notes for people
 * (note.ts) are not durable.
 */

import { constants } from 'node:fs';
import { type FileHandle, open, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errnoOf, fileFailure, isENOENT, refusesAttributes } from '../failures/fileFailure.ts';

/** Owner and mode of a file that is written. */
export interface FileAttributes {
  /** Permission bits, e.g. 0o600. */
  readonly mode: number;
  /** Owner and group of the file. Absent: those of the process. */
  readonly owner?: { readonly uid: number; readonly gid: number };
}

/** Temporary name for the new content of a file: predictable, and in the same folder. */
export const temporaryPath = (path: string): string => `${path}.tmp`;

export const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/** Creates `path` for writing. An existing file or link of that name is removed, never followed. */
async function createExclusive(path: string): Promise<FileHandle> {
  try {
    return await open(path, NEW_FILE, 0o600);
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
    await unlink(path);
    return open(path, NEW_FILE, 0o600);
  }
}

/** Makes the folder's entries durable: without this a power loss may undo a rename. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Whether group and others have the same access with both modes, and the owner has at least the wanted access. */
const grantsTheSame = (found: number, wanted: number): boolean =>
  ((found ^ wanted) & 0o077) === 0 && (wanted & ~found & 0o700) === 0;

/**
 * Sets owner and mode where they differ. FAT and some mounts refuse every change, also one that changes nothing. A
 * refused mode is accepted if the file system's own mode keeps the same users out.
 */
export async function setAttributes(handle: FileHandle, { mode, owner }: FileAttributes): Promise<void> {
  const found = await handle.stat();
  const isOwned = owner === undefined || (found.uid === owner.uid && found.gid === owner.gid);
  if (!isOwned) await handle.chown(owner.uid, owner.gid);
  // After chown, which clears set-id bits. Needed because the umask changed the mode at open.
  if (isOwned && (found.mode & 0o7777) === mode) return;
  await handle.chmod(mode).catch((error: unknown) => {
    if (!refusesAttributes(error) || !grantsTheSame(found.mode, mode)) throw error;
  });
}

/**
 * Creates a file with this content, owner and mode. An existing file of that name is replaced.
 * @param sync whether the content is durable when the call returns
 * @throws the system's error
 */
export async function writeTemporary(
  temporary: string,
  content: Uint8Array,
  attributes: FileAttributes,
  sync = true,
): Promise<void> {
  const handle = await createExclusive(temporary);
  try {
    await handle.writeFile(content);
    await setAttributes(handle, attributes);
    if (sync) await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Replaces a file atomically and durably: at every moment, also after a power loss, the path holds the complete old or
 * the complete new content. Steps: temporary file in the same folder, write, fsync, rename, fsync of the folder. A
 * failed fsync is never repeated on the same descriptor: the temporary file is removed instead.
 * @param path the file itself; the caller resolves links
 * @throws Failure DISK_FULL, DISK_ERROR, FOLDER_NOT_WRITABLE, FILE_NOT_PERMITTED
 */
export async function durableReplace(path: string, content: Uint8Array, attributes: FileAttributes): Promise<void> {
  const temporary = temporaryPath(path);
  try {
    await writeTemporary(temporary, content, attributes);
    await rename(temporary, path);
    await syncFolder(dirname(path));
  } catch (error) {
    // The temporary file would only fill the disk. The first error is reported, not one of this removal.
    await unlink(temporary).catch(() => {});
    throw fileFailure(error, `write ${path}`);
  }
}

/**
 * Renames a file within its folder, durably. An existing target is replaced.
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
 * Removes a file durably. An absent file is not an error.
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
 * Makes all entries of a folder durable, also those that an earlier process left.
 * @throws Failure DISK_ERROR, FILE_NOT_PERMITTED
 */
export async function makeEntriesDurable(folder: string): Promise<void> {
  await syncFolder(folder).catch((error: unknown) => {
    throw fileFailure(error, `sync the folder ${folder}`);
  });
}
