import type { Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Failure } from '../failures/failure.ts';
import { errnoOf, fileFailure, isENOENT } from '../failures/fileFailure.ts';
import type { DevicePaths } from './paths.ts';

/**
 * Requires that the state folder is a folder, or that the agent can create it in an existing folder. Only a path given by
 * hand (--state-dir) can be wrong in this way, so this is not a fault of the storage.
 * @throws Failure USAGE
 */
export async function requireStateFolder({ deviceFolder, stateFolder }: DevicePaths): Promise<void> {
  const parent = dirname(stateFolder);
  if (parent === deviceFolder) return;
  const found = await isFolder(stateFolder);
  if (found === false) throw new Failure('USAGE', 'stateFolderNotAFolder', { folder: stateFolder });
  if (found === undefined && (await isFolder(parent)) !== true) {
    throw new Failure('USAGE', 'stateFolderMissing', { folder: stateFolder, parent });
  }
}

/** undefined: there is nothing. true also if that can't be found out: the first use of the folder then says why. */
function isFolder(path: string): Promise<boolean | undefined> {
  return stat(path).then(
    (stats) => stats.isDirectory(),
    (error: unknown) => (isENOENT(error) || errnoOf(error) === 'ENOTDIR' ? undefined : true),
  );
}

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
