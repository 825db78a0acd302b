import type { BackupInput, BackupOutput } from '../../machines/provision.types.ts';
import { makeBackup } from '../config/thermal/backups.ts';
import { readThermalConfig } from '../config/thermal/thermalConfig.ts';
import type { EffectCall, EffectDependencies } from './dependencies.ts';

/**
 * FR-007: copies thermal_config.json to a timestamped backup, which is durable before the file is changed.
 * @throws Failure CONFIG_UNREADABLE, CONFIG_TOO_LARGE, CONFIG_LINK_UNTRUSTED, CONFIG_READ_ONLY, CONFIG_KEEPS_CHANGING,
 * DISK_FULL, DISK_ERROR, FOLDER_NOT_WRITABLE, FILE_NOT_PERMITTED
 */
export async function backup(
  { paths, clock, log }: EffectDependencies,
  { input }: EffectCall<BackupInput>,
): Promise<BackupOutput> {
  const config = await readThermalConfig(paths.deviceFolder);
  if (config.bytes === undefined) {
    log.info('backup.none', 'There is no thermal_config.json yet: nothing to back up');
    return { name: null, made: false, at: clock.now() };
  }
  const { name, made } = await makeBackup(paths.deviceFolder, input.name, config.bytes);
  const message = made
    ? `Backed up thermal_config.json as ${name}`
    : `thermal_config.json is already backed up as ${name}`;
  log.info(made ? 'backup.made' : 'backup.present', message, { backup: name, bytes: config.bytes.length });
  return { name, made, at: clock.now() };
}
