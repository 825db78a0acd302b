import { Failure } from '../../failures/failure.ts';
import { type Backup, readBackup } from './backups.ts';
import { cameraProblems } from './cameraRules.ts';
import { type ConfigCredentials, freshConfig } from './credentialsSections.ts';
import { mergeCredentials } from './mergeCredentials.ts';
import type { ThermalConfigFile } from './thermalConfig.ts';

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
 * @param onSkipped told about each backup that can't be used: its path, and why
 */
export async function chooseBase(
  existing: ThermalConfigFile,
  backups: readonly Backup[],
  onSkipped: (path: string, why: string) => void = () => {},
): Promise<ConfigBase> {
  if (existing.bytes === undefined) return { from: 'defaults' };
  if (existing.usable) return { from: 'file', bytes: existing.bytes };
  for (const { name, path } of backups.slice(0, MAX_BACKUPS_READ)) {
    const backup = await readBackup(path);
    if (backup.usable) return { from: 'backup', name, bytes: backup.bytes };
    // The copy of the file that can't be used is no loss of its own.
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
 * The camera's own rules: what they object to in the new text, they must have objected to before.
 * @throws Failure CONFIG_INVALID
 */
export function requireLoadable(base: ConfigBase, content: Buffer): void {
  const before = base.from === 'defaults' ? [] : cameraProblems(base.bytes);
  const problems = cameraProblems(content).filter((problem) => !before.includes(problem));
  if (problems.length === 0) return;
  throw new Failure('CONFIG_INVALID', 'newConfig', { problems });
}
