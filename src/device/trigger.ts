import { stat } from 'node:fs/promises';
import type { TriggerIdentity } from '../../machines/provision.types.ts';
import { fileFailure, isENOENT } from '../failures/fileFailure.ts';

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
