import { stat } from 'node:fs/promises';
import type { TriggerIdentity } from '../../machines/provision.types.ts';
import { fileFailure, isENOENT } from '../failures/fileFailure.ts';

/** Which file lies at the path, or null when none does. @throws Failure DISK_ERROR, FILE_NOT_PERMITTED */
export async function triggerIdentity(path: string): Promise<TriggerIdentity | null> {
  try {
    const { ino, mtimeNs } = await stat(path, { bigint: true });
    return { inode: String(ino), mtimeNs: String(mtimeNs) };
  } catch (error) {
    if (isENOENT(error)) return null;
    throw fileFailure(error, `look at ${path}`);
  }
}

/**
 * Whether it is the very same file. The chart's `sameTrigger` compares the time only: at a later boot some file systems
 * have renumbered the inodes, while here both were looked at in one run.
 */
export const isSameTrigger = (a: TriggerIdentity | null, b: TriggerIdentity | null): boolean =>
  a !== null && b !== null && a.inode === b.inode && a.mtimeNs === b.mtimeNs;
