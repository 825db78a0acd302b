import { join } from 'node:path';
import type { RestoreInput, RestoreOutput } from '../../machines/provision.types.ts';
import { replacementAttributes } from '../config/thermal/replacement.ts';
import { MAX_CONFIG_BYTES, readThermalConfig } from '../config/thermal/thermalConfig.ts';
import { Failure } from '../failures/failure.ts';
import { durableRemove, durableReplace } from '../files/durable.ts';
import { readLimited } from '../files/readLimited.ts';
import type { EffectCall, EffectDependencies } from './dependencies.ts';

/**
 * Restores the configuration from before `write`: copies the backup, or removes the file if there was none before.
 * @throws Failure CONFIG_*, DISK_FULL, DISK_ERROR, FOLDER_NOT_WRITABLE, FILE_NOT_PERMITTED
 */
export async function restore(
  { paths, clock, log }: EffectDependencies,
  { input }: EffectCall<RestoreInput>,
): Promise<RestoreOutput> {
  const current = await readThermalConfig(paths.deviceFolder);
  if (input.backup === null) {
    await durableRemove(current.path);
    log.warn('config.removed', `Removed ${current.path}: there was no configuration before`, { file: current.path });
    return { at: clock.now() };
  }
  const backup = join(paths.deviceFolder, input.backup);
  const read = await readLimited(backup, MAX_CONFIG_BYTES, false);
  if (!read.ok) {
    const facts = { backup, problem: read.problem, path: current.path };
    throw new Failure('CONFIG_UNREADABLE', 'backup', facts, read.cause);
  }
  await durableReplace(current.path, read.bytes, await replacementAttributes(current));
  log.warn('config.restored', `Restored ${current.path} from ${input.backup}`, { backup: input.backup });
  return { at: clock.now() };
}
