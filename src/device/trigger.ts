import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { TriggerIdentity } from '../../machines/provision.types.ts';
import { Failure } from '../failures/failure.ts';
import { fileFailure, isENOENT } from '../failures/fileFailure.ts';
import { fileSystemName, hasFleetingInodes } from '../files/foreignFileSystem.ts';
import { type Mount, readMountTable } from '../files/mountTable.ts';
import { isFolder, requireMovableFile } from '../files/replaceable.ts';
import type { DevicePaths } from './paths.ts';

/**
 * Identity of the file at the path. null: there is no file, or a folder, e.g. one that a container's mount has made.
 * @throws Failure DISK_ERROR, FILE_NOT_PERMITTED
 */
export async function triggerIdentity(path: string): Promise<TriggerIdentity | null> {
  try {
    const stats = await stat(path, { bigint: true });
    if (stats.isDirectory()) return null;
    const { ino, mtimeNs } = stats;
    return { inode: String(ino), mtimeNs: String(mtimeNs) };
  } catch (error) {
    if (isENOENT(error)) return null;
    throw fileFailure(error, `look at ${path}`);
  }
}

/**
 * Whether both are the same file, within one process: a new provision.txt can have the old time (`cp -p`), but not the
 * old inode number. The chart's `sameTrigger` compares across a restart, where inode numbers may change.
 */
export const isSameTrigger = (a: TriggerIdentity | null, b: TriggerIdentity | null): boolean =>
  a !== null && b !== null && a.inode === b.inode && a.mtimeNs === b.mtimeNs;

/**
 * Whether provision.txt is still the file that started the run. File systems whose inode numbers change by themselves
 * leave only the time.
 */
export async function isStillTrigger(
  path: string,
  found: TriggerIdentity | null,
  started: TriggerIdentity | null,
): Promise<boolean> {
  if (isSameTrigger(found, started)) return true;
  return found !== null && found.mtimeNs === started?.mtimeNs && isOnForeign(path);
}

/**
 * Whether a file is the one that was renamed a moment ago. The same file systems may give a renamed file a new inode
 * number or a new time. Another file has both.
 */
export async function isRenamedTrigger(
  path: string,
  found: TriggerIdentity | null,
  before: TriggerIdentity | null,
): Promise<boolean> {
  if (isSameTrigger(found, before)) return true;
  if (found === null || before === null) return false;
  return (found.inode === before.inode || found.mtimeNs === before.mtimeNs) && isOnForeign(path);
}

const isOnForeign = async (path: string): Promise<boolean> =>
  hasFleetingInodes(await fileSystemName(dirname(path), await readMountTable()));

/**
 * Requires that provision.txt can be renamed, which is the last step, after the device is registered. A folder named
 * provision.txt.processed would make the rename fail.
 * @param mounts as `readMountTable` returns it; null: not known
 * @throws Failure FILE_NOT_PERMITTED, DISK_ERROR
 */
export async function requireRenamable(
  { provisionTxt, provisionTxtProcessed }: DevicePaths,
  mounts: readonly Mount[] | null,
): Promise<void> {
  if (await isFolder(provisionTxtProcessed)) {
    throw new Failure('DISK_ERROR', 'processedIsFolder', { processed: provisionTxtProcessed, trigger: provisionTxt });
  }
  await requireMovableFile(provisionTxt, mounts, 'renamed to provision.txt.processed');
  await requireMovableFile(provisionTxtProcessed, mounts, 'replaced by provision.txt');
}
