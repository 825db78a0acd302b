import { type FileHandle, open, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errnoOf, fileFailure } from '../failures/fileFailure.ts';
import { type FileAttributes, NEW_FILE, setAttributes, syncFolder } from './durable.ts';

/**
 * Creates an empty file durably. An existing file of that name stays.
 * @returns whether the file was created; false: there is a file, a folder or a link of that name
 * @throws Failure DISK_FULL, DISK_ERROR, FOLDER_NOT_WRITABLE, FILE_NOT_PERMITTED
 */
export async function durableCreate(path: string, attributes: FileAttributes): Promise<boolean> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, NEW_FILE, 0o600);
    await setAttributes(handle, attributes);
    await handle.sync();
    await syncFolder(dirname(path));
    return true;
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false;
    // After an error nobody knows whether the file would survive a power loss.
    if (handle !== undefined) await unlink(path).catch(() => {});
    throw fileFailure(error, `create ${path}`);
  } finally {
    await handle?.close();
  }
}
