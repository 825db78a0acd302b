import type { Stats } from 'node:fs';
import { access, constants, lstat, realpath, rmdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Failure } from '../failures/failure.ts';
import { errnoOf, fileFailure, folderFailure, isENOENT } from '../failures/fileFailure.ts';
import { temporaryPath } from './durable.ts';
import { isMountPoint, type Mount } from './mountTable.ts';

const STICKY_BIT = 0o1000;

/**
 * Whether the kernel would refuse to remove or rename a file, also for root. rmdir(2) never removes a file, but it makes
 * the checks of unlink and rename first: flags of file and folder, and the sticky bit.
 */
async function isHeld(path: string): Promise<boolean> {
  const error: unknown = await rmdir(path).catch((thrown: unknown) => thrown);
  return errnoOf(error) === 'EPERM';
}

async function heldFailure(path: string, { uid }: Stats, done: string): Promise<Failure> {
  const folder = dirname(path);
  const closed: unknown = await access(folder, constants.W_OK).catch((error: unknown) => error);
  if (closed !== undefined) return folderFailure(closed, folder);
  const { mode } = await stat(folder);
  const self = process.geteuid?.() ?? -1;
  if (self !== 0 && self !== uid && (mode & STICKY_BIT) !== 0) {
    return new Failure('FILE_NOT_PERMITTED', 'sticky', { path, uid, self });
  }
  return new Failure('FILE_NOT_PERMITTED', 'flagged', { path, folder, done });
}

/**
 * Requires that a file can be replaced durably: the file itself, and the temporary file beside it.
 * @param mounts as `readMountTable` returns it; null: not known
 * @param done what the run does with the file, for messages
 * @throws Failure FILE_NOT_PERMITTED, DISK_ERROR
 */
export async function requireReplaceableFile(
  path: string,
  mounts: readonly Mount[] | null,
  done = 'replaced',
): Promise<void> {
  await requireMovableFile(path, mounts, done);
  const temporary = temporaryPath(path);
  const found = await requireMovableFile(temporary, mounts, 'replaced');
  if (found?.isDirectory()) throw new Failure('DISK_ERROR', 'folderInPlace', { path: temporary });
}

/** Whether there is a folder at the path. @throws Failure DISK_ERROR, FILE_NOT_PERMITTED */
export async function isFolder(path: string): Promise<boolean> {
  try {
    return (await lstat(path)).isDirectory();
  } catch (error) {
    if (isENOENT(error)) return false;
    throw fileFailure(error, `look at ${path}`);
  }
}

/**
 * Requires that no mount lies on the file. The folder is resolved only if a mount has the file's name: this asks the disk
 * about every part of the path.
 * @throws Failure FILE_NOT_PERMITTED; the system's error when there is no folder
 */
async function requireNoMount(path: string, mounts: readonly Mount[], done: string): Promise<void> {
  const name = basename(path);
  if (!mounts.some(({ mountPoint }) => basename(mountPoint) === name)) return;
  const folder = await realpath(dirname(path));
  if (isMountPoint(join(folder, name), mounts)) {
    throw new Failure('FILE_NOT_PERMITTED', 'ownMount', { path, done, folder });
  }
}

/**
 * Requires that a file can be replaced, renamed or removed, as far as the file itself decides. An absent file can be
 * created if its name is not too long. Changes nothing. The trial write tests the folder.
 * @param mounts as `readMountTable` returns it; null: not known
 * @param done what the run does with the file, for messages: `replaced`, `renamed`
 * @returns what is there; undefined: nothing
 * @throws Failure FILE_NOT_PERMITTED, DISK_ERROR
 */
export async function requireMovableFile(
  path: string,
  mounts: readonly Mount[] | null,
  done: string,
): Promise<Stats | undefined> {
  try {
    await requireNoMount(path, mounts ?? [], done);
    const stats = await lstat(path);
    if (!stats.isDirectory() && (await isHeld(path))) throw await heldFailure(path, stats, done);
    return stats;
  } catch (error) {
    if (isENOENT(error)) return undefined;
    throw fileFailure(error, `look at ${path}`);
  }
}
