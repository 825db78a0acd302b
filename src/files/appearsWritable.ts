import { access, constants, stat } from 'node:fs/promises';
import { Failure } from '../failures/failure.ts';
import { folderFailure } from '../failures/fileFailure.ts';
import { mayGiveTo } from './ownership.ts';

/**
 * Requires a folder that appears writable. It reads only modes, owners and mount flags, and changes nothing. A run tests
 * the folder by writing (trialWrite.ts).
 * @throws Failure FOLDER_NOT_WRITABLE, FILE_NOT_PERMITTED, DISK_ERROR
 */
export async function requireAppearsWritable(folder: string): Promise<void> {
  await access(folder, constants.W_OK | constants.X_OK).catch((error: unknown) => {
    throw folderFailure(error, folder);
  });
  const { uid, gid } = await stat(folder);
  // root creates the files for the owner of their folder.
  if (process.geteuid?.() !== 0 || uid === 0 || (await mayGiveTo(uid, gid))) return;
  throw new Failure('FILE_NOT_PERMITTED', 'ownerNotSettable', { folder, uid });
}
