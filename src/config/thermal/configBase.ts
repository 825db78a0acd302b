import { Failure } from '../../failures/failure.ts';
import { type Backup, readBackup } from './backups.ts';
import { cameraProblems } from './cameraRules.ts';
import { type ConfigCredentials, freshConfig } from './credentialsSections.ts';
import { mergeCredentials } from './mergeCredentials.ts';
import type { ThermalConfigFile } from './thermalConfig.ts';

/** The text that the new configuration is based on. The camera can parse `bytes`. */
export type ConfigBase =
  /** `repaired`: what was wrong with the file before its repair. */
  | { readonly from: 'file'; readonly bytes: Buffer; readonly repaired?: string }
  | { readonly from: 'backup'; readonly name: string; readonly bytes: Buffer }
  | { readonly from: 'defaults' };

/** The agent keeps fewer by default. The limit protects it from a folder full of foreign files. */
const MAX_BACKUPS_READ = 20;

/**
 * Chooses the settings that the new configuration keeps: those of the existing file if it can be edited, also after a
 * repair, otherwise those of the newest backup that can be edited, otherwise the defaults. A missing file means the defaults: someone
 * removed it on purpose.
 * @param backups newest first, as `listBackups` returns them
 * @param onSkipped receives the path of each backup that can't be used, and the reason
 */
export async function chooseBase(
  existing: ThermalConfigFile,
  backups: readonly Backup[],
  onSkipped: (path: string, why: string) => void = () => {},
): Promise<ConfigBase> {
  if (existing.bytes === undefined) return { from: 'defaults' };
  if (existing.repair !== undefined) {
    return { from: 'file', bytes: existing.repair.bytes, repaired: existing.repair.problem };
  }
  if (existing.usable) return { from: 'file', bytes: existing.bytes };
  for (const { name, path } of backups.slice(0, MAX_BACKUPS_READ)) {
    const backup = await readBackup(path);
    if (backup.usable) return { from: 'backup', name, bytes: backup.repair?.bytes ?? backup.bytes };
    // A backup equal to the unusable file loses nothing more.
    if (backup.bytes?.equals(existing.bytes) !== true) onSkipped(path, backup.why);
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

/**
 * Requires that the new text breaks no rule of the camera that the old text kept.
 * @throws Failure CONFIG_INVALID
 */
export function requireLoadable(base: ConfigBase, content: Buffer): void {
  const before = base.from === 'defaults' ? [] : cameraProblems(base.bytes);
  const problems = cameraProblems(content).filter((problem) => !before.includes(problem));
  if (problems.length === 0) return;
  throw new Failure('CONFIG_INVALID', 'newConfig', { problems });
}
