import { realpath, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { DevicePaths } from '../device/paths.ts';
import { errnoOf } from '../failures/fileFailure.ts';
import { requireAppearsWritable } from '../files/appearsWritable.ts';
import { fileExists } from '../files/fileExists.ts';
import { neededBytes, requireFreeSpace } from '../files/trialWrite.ts';
import { type Part, present, problemOf, unusable } from './part.ts';

const OTHER_USER = 'If the agent runs as another user, run this command as that user.';

/**
 * Whether the next run could write its files. A run that can't write can't record its failure either, so only this shows
 * why it fails. Nothing is written: modes, mount flags, free space and free inodes are enough. A quota, or a card that
 * refuses writes without saying so, is not seen.
 */
export async function readStorage(paths: DevicePaths): Promise<Part<true>> {
  try {
    const { deviceFolder, stateFolder, thermalConfig } = paths;
    const state = (await fileExists(stateFolder)) ? stateFolder : dirname(stateFolder);
    // The file may be a link to another file system.
    const config = await realpath(thermalConfig).catch(() => thermalConfig);
    const size = await stat(config).then(
      (stats) => stats.size,
      () => 0,
    );
    for (const folder of new Set([deviceFolder, state, dirname(config)])) {
      await requireAppearsWritable(folder);
      await requireFreeSpace(folder, neededBytes(size));
    }
    return present(true);
  } catch (error) {
    const problem = problemOf(error);
    const isRefused = error instanceof Error && errnoOf(error.cause) === 'EACCES';
    return unusable(isRefused ? { ...problem, hint: `${problem.hint} ${OTHER_USER}` } : problem);
  }
}
