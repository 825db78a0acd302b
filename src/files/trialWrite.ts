import { constants } from 'node:fs';
import { open, rename, statfs, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../failures/failure.ts';
import { fileFailure } from '../failures/fileFailure.ts';
import { mebibytes } from './byteSize.ts';

/** Space for a snapshot, credentials, an ordinary configuration, its backup and their temporary copies. */
export const MIN_FREE_BYTES = 1024 * 1024;

/** Free bytes that a run needs: also for the new configuration, its backup and a temporary copy. */
export const neededBytes = (configBytes: number): number => MIN_FREE_BYTES + 3 * configBytes;

/** The two paths that the trial write in a folder uses. */
export const trialPaths = (folder: string): readonly [string, string] => [
  join(folder, '.provision-probe.tmp'),
  join(folder, '.provision-probe'),
];

/**
 * Tests that files in a folder can be replaced: creates, writes, fsyncs, renames and removes one. Also checks the free
 * space. Mode bits and mount flags are not reliable (ACLs, quotas, a card that fell back to read-only).
 * @param needed free bytes that the caller needs
 * @param proven device numbers of file systems that were tested before: the slow fsync is skipped there
 * @returns the folder's file system
 * @throws Failure FOLDER_NOT_WRITABLE, DISK_FULL, DISK_ERROR
 */
export async function tryFolder(
  folder: string,
  needed = MIN_FREE_BYTES,
  proven: ReadonlySet<number> = new Set(),
): Promise<number> {
  const [first, second] = trialPaths(folder);
  try {
    await unlink(first).catch(() => {});
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
    const handle = await open(first, flags, 0o600);
    let fileSystem: number;
    try {
      fileSystem = (await handle.stat()).dev;
      await handle.writeFile(new Uint8Array(4096));
      if (!proven.has(fileSystem)) await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(first, second);
    await unlink(second);
    await requireFreeSpace(folder, needed);
    return fileSystem;
  } catch (error) {
    await unlink(first).catch(() => {});
    await unlink(second).catch(() => {});
    throw asFolderFailure(fileFailure(error, `write to the folder ${folder}`), folder);
  }
}

function asFolderFailure(failure: Failure, folder: string): Failure {
  if (failure.code !== 'FILE_NOT_PERMITTED') return failure;
  return new Failure('FOLDER_NOT_WRITABLE', 'noPermission', { folder }, failure.cause);
}

/** @returns the free bytes @throws Failure DISK_FULL; the system's error when the folder can't be read */
export async function requireFreeSpace(folder: string, needed: number): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  if (free >= needed) return free;
  throw new Failure('DISK_FULL', 'tooLittle', {
    free: mebibytes(free, 'down'),
    folder,
    needed: mebibytes(needed, 'up'),
  });
}
