import type { Stats } from 'node:fs';
import { chmod, chown, lstat, mkdir, readdir, readFile, rename, stat, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Failure } from '../failures/failure.ts';
import { errnoOf, fileFailure, folderFailure, isENOENT } from '../failures/fileFailure.ts';
import { durableReplace, type FileAttributes, syncFolder } from './durable.ts';

/**
 * Rejects a symbolic link of another user: it could direct the agent, which may be root, to any folder.
 * @throws Failure FILE_NOT_PERMITTED; the system's error when the path does not exist
 */
async function requireTrustedLink(path: string): Promise<void> {
  const link = await lstat(path);
  if (!link.isSymbolicLink() || link.uid === 0 || link.uid === (await stat(dirname(path))).uid) return;
  throw new Failure('FILE_NOT_PERMITTED', 'foreignLink', { path, uid: link.uid });
}

/**
 * Reads the attributes of the agent's own folder.
 * @returns undefined when there is no folder
 * @throws Failure DISK_ERROR, FILE_NOT_PERMITTED
 */
export async function statOwnFolder(folder: string): Promise<Stats | undefined> {
  try {
    await requireTrustedLink(folder);
    const stats = await stat(folder);
    if (stats.isDirectory()) return stats;
    throw new Failure('DISK_ERROR', 'notAFolder', { folder });
  } catch (error) {
    if (isENOENT(error)) return undefined;
    throw fileFailure(error, `use the folder ${folder}`);
  }
}

/** Removes the access of group and others. Returns whether that was needed. undefined: there is no folder. */
async function tightenFolder(folder: string): Promise<boolean | undefined> {
  const stats = await statOwnFolder(folder);
  if (stats === undefined) return undefined;
  if ((stats.mode & 0o077) === 0) return false;
  await chmod(folder, 0o700).catch((error: unknown) => {
    throw fileFailure(error, `use the folder ${folder}`);
  });
  // FAT accepts chmod without any effect.
  return ((await stat(folder)).mode & 0o077) === 0;
}

/**
 * Creates the agent's own folder if needed, with access for its owner only. A new folder is durable once its parent is
 * synced.
 * @returns whether the mode of an existing folder had to be tightened
 * @throws Failure DISK_FULL, DISK_ERROR, FOLDER_NOT_WRITABLE, FILE_NOT_PERMITTED
 */
export async function ensurePrivateFolder(folder: string): Promise<boolean> {
  const tightened = await tightenFolder(folder);
  if (tightened !== undefined) return tightened;
  try {
    await mkdir(folder, { mode: 0o700 });
    const { owner } = await folderOwner(folder);
    const { uid, gid } = await stat(folder);
    if (owner !== undefined && (uid !== owner.uid || gid !== owner.gid)) await chown(folder, owner.uid, owner.gid);
    return false;
  } catch (error) {
    // Another agent may have created it at the same moment. A dangling link is still an error.
    const appeared = errnoOf(error) === 'EEXIST' ? await tightenFolder(folder) : undefined;
    if (appeared !== undefined) return appeared;
    const failure = fileFailure(error, `create the folder ${folder}`);
    // The parent folder refuses mkdir, so the operator must correct the parent.
    if (failure.code !== 'FILE_NOT_PERMITTED') throw failure;
    if (errnoOf(error) === 'EPERM') throw folderFailure(error, dirname(folder));
    throw new Failure('FOLDER_NOT_WRITABLE', 'notCreated', { folder }, error);
  }
}

/**
 * Owner of a new file. An agent that runs as root creates files for the owner of their folder, so that the service's user
 * can use them. Any other agent keeps its own user: the result is empty.
 * @throws Failure DISK_ERROR, FILE_NOT_PERMITTED
 */
export async function folderOwner(path: string): Promise<Pick<FileAttributes, 'owner'>> {
  if (process.geteuid?.() !== 0) return {};
  const { uid, gid } = await stat(dirname(path)).catch((error: unknown) => {
    throw fileFailure(error, `write ${path}`);
  });
  return uid === 0 ? {} : { owner: { uid, gid } };
}

/**
 * Writes one of the agent's own files: durable, mode 0600, owned by its folder's owner.
 * @throws Failure DISK_FULL, DISK_ERROR, FOLDER_NOT_WRITABLE, FILE_NOT_PERMITTED
 */
export async function writeOwnFile(path: string, content: Uint8Array): Promise<void> {
  await durableReplace(path, content, { mode: 0o600, ...(await folderOwner(path)) });
}

/** Number of copies of one file that are kept. They are only for support, and hold tokens. */
const MAX_SET_ASIDE = 5;
const ASIDE_NAME = /^\.[a-z]+-(\d{8}T\d{6}\.\d{3}Z)$/;

/**
 * Removes the oldest copies. Errors are ignored: a surplus copy must not end a run.
 * @param made the new copy, which stays even if its stamp is the oldest: a board without an RTC starts in 1970
 */
async function dropOldest(path: string, made: string): Promise<void> {
  const names = await readdir(dirname(path)).catch((): string[] => []);
  const others = names
    .filter((name) => name.startsWith(basename(path)) && name !== basename(made))
    .flatMap((name) => {
      const stamp = ASIDE_NAME.exec(name.slice(basename(path).length))?.[1];
      return stamp === undefined ? [] : [{ name, stamp }];
    })
    .sort((one, other) => (one.stamp < other.stamp ? 1 : -1));
  for (const { name } of others.slice(MAX_SET_ASIDE - 1)) await unlink(join(dirname(path), name)).catch(() => {});
}

/**
 * Sets a file aside: renames a file that can't be used to `<path>.<why>-<stamp>` and keeps it for support. The newest
 * five copies stay.
 * @param at ms since the epoch
 * @returns the new path
 * @throws Failure DISK_ERROR, FOLDER_NOT_WRITABLE, FILE_NOT_PERMITTED
 */
export async function setAside(path: string, why: string, at: number): Promise<string> {
  const aside = `${path}.${why}-${new Date(at).toISOString().replaceAll(/[-:]/g, '')}`;
  try {
    await rename(path, aside);
    await dropOldest(path, aside);
    await syncFolder(dirname(path));
  } catch (error) {
    throw fileFailure(error, `move ${path} out of the way`);
  }
  return aside;
}

/**
 * Removes the access of group and others. A file with a second hard link is replaced: another program may use it.
 * @returns whether it had an effect: FAT accepts chmod without any
 */
export async function tightenMode(path: string): Promise<boolean> {
  try {
    const { nlink } = await lstat(path);
    if (nlink === 1) await chmod(path, 0o600);
    else await writeOwnFile(path, await readFile(path));
    return ((await lstat(path)).mode & 0o077) === 0;
  } catch (error) {
    throw fileFailure(error, `tighten the mode of ${path}`);
  }
}
