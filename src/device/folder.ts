import type { Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Failure } from '../failures/failure.ts';
import { errnoOf, fileFailure } from '../failures/fileFailure.ts';

/** Requires that the device folder exists. @throws Failure DEVICE_FOLDER_MISSING, FILE_NOT_PERMITTED, DISK_ERROR */
export async function requireDeviceFolder(folder: string): Promise<Stats> {
  const stats = await stat(folder).catch((error: unknown) => {
    const errno = errnoOf(error);
    if (errno !== 'ENOENT' && errno !== 'ENOTDIR') throw fileFailure(error, `look at the device folder ${folder}`);
    throw new Failure('DEVICE_FOLDER_MISSING', 'absent', { folder }, error);
  });
  if (stats.isDirectory()) return stats;
  throw new Failure('DEVICE_FOLDER_MISSING', 'notAFolder', { folder });
}
