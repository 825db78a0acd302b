import { access, constants } from 'node:fs/promises';
import { Failure } from '../failures/failure.ts';
import { fileFailure } from '../failures/fileFailure.ts';

/**
 * Requires a folder that appears writable. It reads only modes, owners and mount flags, and changes nothing. A run tests
 * the folder by writing (trialWrite.ts).
 * @throws Failure FOLDER_NOT_WRITABLE, DISK_ERROR
 */
export async function requireAppearsWritable(folder: string): Promise<void> {
  await access(folder, constants.W_OK | constants.X_OK).catch((error: unknown) => {
    const failure = fileFailure(error, `write to the folder ${folder}`);
    if (failure.code !== 'FILE_NOT_PERMITTED') throw failure;
    throw new Failure('FOLDER_NOT_WRITABLE', 'noPermission', { folder }, error);
  });
}
