/**
 * Durable writes: the file is complete and durable, or the call fails. Log lines (appendLimited.ts) and notes for people
 * (note.ts) are not durable.
 */

import { constants } from 'node:fs';
import { type FileHandle, open, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errnoOf, fileFailure, isENOENT } from '../failures/fileFailure.ts';

/** Owner and mode of a file that is written. */
export interface FileAttributes {
  /** Permission bits, e.g. 0o600. */
  readonly mode: number;
  /** Owner and group of the file. Absent: those of the process. */
  readonly owner?: { readonly uid: number; readonly gid: number };
}

/** Temporary name for the new content of a file: predictable, and in the same folder. */
export const temporaryPath = (path: string): string => `${path}.tmp`;

/** Creates `path` for writing. An existing file or link of that name is removed, never followed. */
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

/** Makes the folder's entries durable: without this a power loss may undo a rename. */
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
    // After chown, which clears set-id bits. Needed because the umask changed the mode at open.
    await handle.chmod(attributes.mode);
    await handle.sync();
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
