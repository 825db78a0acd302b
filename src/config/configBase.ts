import { readLimited } from '../files/readLimited.ts';
import type { Backup } from './backups.ts';
import { readEditableConfig } from './configText.ts';
import { type ConfigCredentials, freshConfig } from './credentialsSections.ts';
import { mergeCredentials } from './mergeCredentials.ts';
import { MAX_CONFIG_BYTES, type ThermalConfigFile } from './thermalConfig.ts';

/** From which text the new configuration is made. */
export type ConfigBase =
  | { readonly from: 'file'; readonly bytes: Buffer }
  | { readonly from: 'backup'; readonly name: string; readonly bytes: Buffer }
  | { readonly from: 'defaults' };

/** More are never kept by default; files of other programs must not make the agent read for hours. */
const MAX_BACKUPS_READ = 20;

/**
 * Chooses the settings that the new configuration keeps: those of the existing file if it can be edited, else those of
 * the newest backup that can, else the defaults. An absent file means the defaults: who removed it wanted that.
 * @param backups newest first, as `listBackups` gives them
 */
export async function chooseBase(existing: ThermalConfigFile, backups: readonly Backup[]): Promise<ConfigBase> {
  if (existing.bytes === undefined) return { from: 'defaults' };
  if (existing.usable) return { from: 'file', bytes: existing.bytes };
  for (const { name, path } of backups.slice(0, MAX_BACKUPS_READ)) {
    const read = await readLimited(path, MAX_CONFIG_BYTES, false);
    if (read.ok && readEditableConfig(read.bytes).ok) return { from: 'backup', name, bytes: read.bytes };
  }
  return { from: 'defaults' };
}

/**
 * The new content of thermal_config.json.
 * @throws Failure as `mergeCredentials`
 */
export function configWithCredentials(base: ConfigBase, credentials: ConfigCredentials): Buffer {
  return base.from === 'defaults' ? freshConfig(credentials) : mergeCredentials(base.bytes, credentials);
}
