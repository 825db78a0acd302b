import type { Stats } from 'node:fs';
import { lstat, rename, stat, statfs, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../failures/failure.ts';
import { folderFailure } from '../failures/fileFailure.ts';
import { mebibytes } from './byteSize.ts';
import { type FileAttributes, syncFolder, writeTemporary } from './durable.ts';
import { fileSystemName } from './foreignFileSystem.ts';
import type { Mount } from './mountTable.ts';
import { folderOwner } from './ownFiles.ts';

/** Space for a snapshot, credentials, an ordinary configuration, its backup and their temporary copies. */
export const MIN_FREE_BYTES = 1024 * 1024;

/** New files of a run that exist at the same time: snapshot, credentials, backup, and temporary copies. */
const MIN_FREE_INODES = 6;
/** In addition, for a device without a state folder: this folder, and what the start of the agent writes into it. */
export const FIRST_START_INODES = 4;

/** Free bytes that a run needs: also for the new configuration, its backup and a temporary copy. */
export const neededBytes = (configBytes: number): number => MIN_FREE_BYTES + 3 * configBytes;

/** The two paths that the trial write in a folder uses. */
export const trialPaths = (folder: string): readonly [string, string] => [
  join(folder, '.provision-probe.tmp'),
  join(folder, '.provision-probe'),
];

/** A file that the run will write, as the trial write imitates it. */
export interface PlannedFile {
  readonly bytes: number;
  readonly attributes: FileAttributes;
}

export interface TrialOptions {
  /** Free bytes that the run needs. */
  readonly needed?: number;
  /** The files that the run will write into the folder, in addition to the agent's own. */
  readonly files?: readonly PlannedFile[];
  /** Device numbers of file systems that were tested before: the slow fsync is skipped there. */
  readonly proven?: ReadonlySet<number>;
  /** Whether the run is the first one to sync the folder. */
  readonly syncsFolder?: boolean;
  /** For messages; null: not known. */
  readonly mounts?: readonly Mount[] | null;
}

export interface TrialResult {
  /** Device number of the file system. */
  readonly fileSystem: number;
  /** What is lost because the file system does not keep modes; undefined: nothing. */
  readonly exposure: string | undefined;
}

const TRIAL_BYTES = 4096;

/**
 * Rehearses the run's writes in a folder, with the calls of `durableReplace`: creates files of the same size, mode and
 * owner, writes, fsyncs, renames one onto the other, and removes them. Also checks free space and inodes. Mode bits and
 * mount flags are not reliable (ACLs, quotas, FAT, a card that fell back to read-only).
 * @throws Failure FOLDER_NOT_WRITABLE, FILE_NOT_PERMITTED (owner or mode), DISK_FULL, DISK_ERROR
 */
export async function tryFolder(folder: string, options: TrialOptions = {}): Promise<TrialResult> {
  const { needed = MIN_FREE_BYTES, files = [], proven = new Set(), syncsFolder = false, mounts = null } = options;
  const [first, second] = trialPaths(folder);
  try {
    const { dev: fileSystem } = await stat(folder);
    const own = { bytes: TRIAL_BYTES, attributes: { mode: 0o600, ...(await folderOwner(first)) } };
    const fixedModes: number[] = [];
    // At least two files, because the second rename replaces a file.
    for (const [index, { bytes, attributes }] of [own, ...(files.length === 0 ? [own] : files)].entries()) {
      await writeTemporary(first, new Uint8Array(bytes), attributes, index === 0 && !proven.has(fileSystem));
      fixedModes.push(...(await fixedMode(folder, await lstat(first), attributes, mounts)));
      await rename(first, second);
    }
    await unlink(second);
    if (syncsFolder) await syncFolder(folder);
    await requireFreeSpace(folder, needed);
    return { fileSystem, exposure: await exposureOf(folder, fixedModes[0], mounts) };
  } catch (error) {
    await unlink(first).catch(() => {});
    await unlink(second).catch(() => {});
    throw folderFailure(error, folder);
  }
}

const octal = (mode: number): string => mode.toString(8);

/**
 * A file system without modes may accept chmod and chown without any effect.
 * @returns the mode of the file if it gives other users more access than wanted, else nothing
 * @throws Failure FILE_NOT_PERMITTED when the file lacks the wanted owner or access
 */
async function fixedMode(
  folder: string,
  found: Stats,
  { mode, owner = found }: FileAttributes,
  mounts: readonly Mount[] | null,
): Promise<number[]> {
  const foundMode = found.mode & 0o777;
  if (found.uid === owner.uid && found.gid === owner.gid && (mode & 0o777 & ~foundMode) === 0) {
    return (foundMode & ~mode & 0o077) === 0 ? [] : [foundMode];
  }
  throw new Failure('FILE_NOT_PERMITTED', 'attributesLost', {
    folder,
    fileSystem: await fileSystemName(folder, mounts),
    mode: octal(mode),
    owner: `${owner.uid}:${owner.gid}`,
    foundMode: octal(foundMode),
    foundOwner: `${found.uid}:${found.gid}`,
  });
}

async function exposureOf(
  folder: string,
  mode: number | undefined,
  mounts: readonly Mount[] | null,
): Promise<string | undefined> {
  if (mode === undefined) return undefined;
  return `${exposureText(folder, await fileSystemName(folder, mounts), mode)}. ${EXPOSURE_HINT}`;
}

/** What is lost on a file system that gives every file the same mode. */
export const exposureText = (folder: string, fileSystem: string, mode: number): string =>
  `The file system of ${folder} (${fileSystem}) gives every file the mode ${octal(mode)}: other users of this device can read the credentials in its files`;

export const EXPOSURE_HINT = 'Mount it with umask=077, or use a file system that keeps modes.';

/**
 * Requires free bytes and inodes.
 * @param moreInodes in addition to those that a run needs
 * @returns the free bytes
 * @throws Failure DISK_FULL; the system's error when the folder can't be read
 */
export async function requireFreeSpace(folder: string, needed: number, moreInodes = 0): Promise<number> {
  const { bavail, bsize, files, ffree } = await statfs(folder);
  const free = bavail * bsize;
  if (free < needed) {
    throw new Failure('DISK_FULL', 'tooLittle', {
      free: mebibytes(free, 'down'),
      folder,
      needed: mebibytes(needed, 'up'),
    });
  }
  // A file system without a fixed number of inodes reports 0 of 0.
  const inodes = MIN_FREE_INODES + moreInodes;
  if (files > 0 && ffree < inodes) {
    throw new Failure('DISK_FULL', 'tooFewInodes', { free: ffree, folder, needed: inodes });
  }
  return free;
}
