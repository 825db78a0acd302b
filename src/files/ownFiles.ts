import type { Stats } from 'node:fs';
import { chmod, chown, lstat, mkdir, readdir, readFile, rename, stat, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Failure } from '../failures/failure.ts';
import { errnoOf, fileFailure, isENOENT } from '../failures/fileFailure.ts';
import { durableReplace, type FileAttributes, syncFolder } from './durable.ts';

/**
 * In a folder where others may create entries, anybody could lead the agent, which may be root, to any folder.
 * @throws Failure FILE_NOT_PERMITTED; the system's error when nothing is there
 */
async function requireTrustedLink(path: string): Promise<void> {
  const link = await lstat(path);
  if (!link.isSymbolicLink() || link.uid === 0 || link.uid === (await stat(dirname(path))).uid) return;
  throw new Failure('FILE_NOT_PERMITTED', 'foreignLink', { path, uid: link.uid });
}

/**
 * Looks at the agent's own folder.
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

/** Whether a folder's mode had to be tightened; undefined: there is no folder. */
async function tightenFolder(folder: string): Promise<boolean | undefined> {
  const stats = await statOwnFolder(folder);
  if (stats === undefined) return undefined;
  if ((stats.mode & 0o077) === 0) return false;
  await chmod(folder, 0o700).catch((error: unknown) => {
    throw fileFailure(error, `use the folder ${folder}`);
  });
  return true;
}

/**
 * Makes sure that the agent's own folder exists, for its owner only. A new one is durable once the folder around it is.
 * @returns whether its mode had to be tightened
 * @throws Failure DISK_FULL, DISK_ERROR, FOLDER_NOT_WRITABLE, FILE_NOT_PERMITTED
 */
export async function ensurePrivateFolder(folder: string): Promise<boolean> {
  const tightened = await tightenFolder(folder);
  if (tightened !== undefined) return tightened;
  try {
    await mkdir(folder, { mode: 0o700 });
    const { owner } = await folderOwner(folder);
    if (owner !== undefined) await chown(folder, owner.uid, owner.gid);
    return false;
  } catch (error) {
    // Another agent that started at the same moment was faster; a link to nowhere stays an error.
    const appeared = errnoOf(error) === 'EEXIST' ? await tightenFolder(folder) : undefined;
    if (appeared !== undefined) return appeared;
    const failure = fileFailure(error, `create the folder ${folder}`);
    // mkdir is refused by the folder above: that is the one to correct.
    if (failure.code !== 'FILE_NOT_PERMITTED') throw failure;
    throw new Failure('FOLDER_NOT_WRITABLE', 'notCreated', { folder }, error);
  }
}

/**
 * Whom a new file in a folder shall belong to: root works for the folder's owner, so that what it creates stays usable
 * for the service's own user. Nothing to set for anybody else.
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

/** Copies of one file that are kept: they are for support alone, and hold tokens. */
const MAX_SET_ASIDE = 5;
const ASIDE_NAME = /^\.[a-z]+-(\d{8}T\d{6}\.\d{3}Z)$/;

/**
 * Never the reason for a run to end: a copy too many does less harm.
 * @param made the copy that was just made. It stays, whatever its name says: a board without a clock of its own starts
 * in 1970, and the older copies may be of this year.
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
 * Moves a file that can't be used out of the way, keeping it for support: `<path>.<why>-<stamp>`. Of earlier ones the
 * four newest stay.
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

/** Takes the access of group and others from a file; one with a second name, maybe somebody else's, is made anew. */
export async function tightenMode(path: string): Promise<void> {
  try {
    const { nlink } = await lstat(path);
    if (nlink === 1) await chmod(path, 0o600);
    else await writeOwnFile(path, await readFile(path));
  } catch (error) {
    throw fileFailure(error, `tighten the mode of ${path}`);
  }
}
