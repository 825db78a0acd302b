import { lstat } from 'node:fs/promises';
import { fileFailure, isENOENT } from '../failures/fileFailure.ts';

/** Whether the path exists. A dangling link counts as existing. @throws Failure DISK_ERROR, FILE_NOT_PERMITTED */
export async function fileExists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (isENOENT(error)) return false;
    throw fileFailure(error, `look at ${path}`);
  }
}
