import { fileFailure } from '../failures/fileFailure.ts';
import { mebibytes } from '../files/byteSize.ts';
import { fileExists } from '../files/fileExists.ts';
import { FIRST_START_INODES, neededBytes, requireFreeSpace } from '../files/trialWrite.ts';
import { type Checked, passed } from './check.ts';

/**
 * Checks the free space that `run` requires at its start.
 * @param folders a folder that does not exist yet is left out; its parent folder must be in the list
 * @param configBytes size of thermal_config.json
 */
export async function checkFreeSpace(folders: readonly string[], configBytes: number): Promise<Checked<never>> {
  const needed = neededBytes(configBytes);
  const free: number[] = [];
  const existing: string[] = [];
  for (const folder of new Set(folders)) if (await fileExists(folder)) existing.push(folder);
  const moreInodes = existing.length < new Set(folders).size ? FIRST_START_INODES : 0;
  for (const folder of existing) {
    const bytes = await requireFreeSpace(folder, needed, moreInodes).catch((error: unknown) => {
      throw fileFailure(error, `look at ${folder}`);
    });
    free.push(bytes);
  }
  const least = mebibytes(Math.min(...free), 'down');
  return { findings: [passed(`${least} free, ${mebibytes(needed, 'up')} needed`)] };
}
