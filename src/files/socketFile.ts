import { link } from 'node:fs/promises';
import { errnoOf } from '../failures/fileFailure.ts';

/**
 * Gives a file a further name, unless there is a file of that name.
 * @returns whether the file has the name now
 * @throws the system's error, for example where the file system has no hard links
 */
export async function nameFile(path: string, name: string): Promise<boolean> {
  try {
    await link(path, name);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false;
    throw error;
  }
}
