import { readdir } from 'node:fs/promises';
import type { ProvisionContext } from '../../machines/provision.types.ts';
import { scrubSecret } from '../config/provision/scrubSecret.ts';
import { pruneBackups } from '../config/thermal/backups.ts';
import { CLIENT_FILE } from '../config/thermal/configuredLogin.ts';
import { triggerIdentity } from '../device/trigger.ts';
import type { EffectDependencies } from '../effects/dependencies.ts';
import { toFailure } from '../failures/failure.ts';
import { durableRemove, temporaryPath } from '../files/durable.ts';
import { trialPaths } from '../files/trialWrite.ts';
import type { AgentOptions } from './pass.ts';
import { DEFAULT_KEEP_BACKUPS } from './pass.ts';

export interface CleanUpInput {
  readonly keepBackups: number;
  /** Digest of the settings that the run used. null: not known. */
  readonly settingsDigest: string | null;
}

/**
 * `provisioning.scrub`: removes the secret. The run needs it until `provisioned` is durable. After an interruption the
 * next start repeats this, because credentials.json still exists.
 */
async function scrub(
  { paths, externalSettings, log }: EffectDependencies,
  { settingsDigest }: CleanUpInput,
): Promise<void> {
  try {
    // A new provision.txt starts another run, which needs the secret and removes it at its own end.
    if (settingsDigest === null || (await triggerIdentity(paths.provisionTxt)) !== null) return;
    if (!(await scrubSecret(paths.provisionJson, externalSettings, settingsDigest))) return;
    log.info('secret.removed', 'Removed the device secret from provision.json (provisioning.scrub)', {
      file: paths.provisionJson,
    });
  } catch (error) {
    const { message } = toFailure(error);
    log.warn('secret.left', `Could not remove the device secret from provision.json: ${message}`, {
      file: paths.provisionJson,
    });
  }
}

/** Removes the files of old client certificates, as the backups that named them are removed. */
async function pruneKeys({ paths, log }: EffectDependencies): Promise<void> {
  if (!(await readdir(paths.deviceFolder)).some((name) => CLIENT_FILE.test(name))) return;
  const { pruneClientFiles } = await import('../config/thermal/clientFiles.ts');
  const removed = await pruneClientFiles(paths.deviceFolder);
  if (removed.length === 0) return;
  log.info('certificate.pruned', `Removed ${removed.length} files of old client certificates`, { removed });
}

/**
 * Cleans up once the `provisioned` snapshot is durable. credentials.json is removed last, because its presence makes
 * the next start repeat an interrupted clean-up.
 * @throws Failure DISK_ERROR, FOLDER_NOT_WRITABLE, FILE_NOT_PERMITTED when credentials.json can't be removed
 */
export async function cleanUp(dependencies: EffectDependencies, input: CleanUpInput): Promise<void> {
  const { paths, log } = dependencies;
  const { keepBackups } = input;
  await scrub(dependencies, input);
  try {
    const removed = await pruneBackups(paths.deviceFolder, keepBackups);
    // A power loss can bring these entries back, and nothing else removes them.
    const unfinished = [paths.snapshot, paths.credentials, paths.thermalConfig].map(temporaryPath);
    const trials = [paths.deviceFolder, paths.stateFolder].flatMap(trialPaths);
    for (const path of [...unfinished, ...trials]) await durableRemove(path);
    await pruneKeys(dependencies);
    if (removed.length > 0) log.info('backup.pruned', `Removed ${removed.length} old backups`, { removed });
  } catch (error) {
    log.warn('backup.unpruned', `Could not remove old backups: ${toFailure(error).message}`);
  }
  await durableRemove(paths.credentials);
  log.debug('credentials.removed', 'Removed credentials.json: the run is complete', { file: paths.credentials });
}

export const cleanUpOf = (
  { keepBackups = DEFAULT_KEEP_BACKUPS }: AgentOptions,
  { settings }: ProvisionContext,
): CleanUpInput => ({
  keepBackups,
  settingsDigest: settings?.digest ?? null,
});
