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
 * Whether both are one file, as seen by one process: a new provision.txt may carry the old one's time (`cp -p`), but not
 * its inode number. The chart's `sameTrigger` compares across a restart and therefore leaves the inode out.
 */
export const isSameTrigger = (a: TriggerIdentity | null, b: TriggerIdentity | null): boolean =>
  a !== null && b !== null && a.inode === b.inode && a.mtimeNs === b.mtimeNs;
