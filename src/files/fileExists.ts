import { lstat } from 'node:fs/promises';
import { fileFailure, isENOENT } from '../failures/fileFailure.ts';

/** Whether something lies at the path; a link counts, wherever it leads. @throws Failure DISK_ERROR, FILE_NOT_PERMITTED */
export async function fileExists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (isENOENT(error)) return false;
    throw fileFailure(error, `look at ${path}`);
  }
}
