import type { ProvisionContext } from '../../machines/provision.types.ts';
import { scrubSecret } from '../config/provision/scrubSecret.ts';
import { pruneBackups } from '../config/thermal/backups.ts';
import { triggerIdentity } from '../device/trigger.ts';
import type { EffectDependencies } from '../effects/dependencies.ts';
import { toFailure } from '../failures/failure.ts';
import { durableRemove, temporaryPath } from '../files/durable.ts';
import { probePaths } from '../files/probe.ts';
import { DEFAULT_KEEP_BACKUPS } from './defaults.ts';
import type { AgentOptions } from './pass.ts';

export interface CleanUpInput {
  readonly keepBackups: number;
  /** Of the settings that the run was made with. */
  readonly settingsDigest: string | null;
}

/**
 * `provisioning.scrub`: the secret goes only when the run needs it no more in any way, which is when `provisioned` is
 * durable. As long as credentials.json is there, a start after an interruption comes here again.
 */
async function scrub(
  { paths, externalSettings, log }: EffectDependencies,
  { settingsDigest }: CleanUpInput,
): Promise<void> {
  try {
    // A provision.txt that was dropped meanwhile asks for another run, which needs the secret, and comes here at its end.
    if (settingsDigest === null || (await triggerIdentity(paths.provisionTxt)) !== null) return;
    if (!(await scrubSecret(paths.provisionJson, externalSettings, settingsDigest))) return;
    log.info('secret.removed', 'provision.json holds the device secret no more, as it asks for (scrub)', {
      file: paths.provisionJson,
    });
  } catch (error) {
    const { message } = toFailure(error);
    log.warn('secret.left', `The device secret could not be removed from provision.json: ${message}`, {
      file: paths.provisionJson,
    });
  }
}

/**
 * What is left to do once the `provisioned` snapshot is durable: old backups go, and credentials.json as the very last
 * step, because its presence is what brings the agent back after an interruption.
 * @throws Failure DISK_ERROR, FOLDER_NOT_WRITABLE, FILE_NOT_PERMITTED when credentials.json can't be removed
 */
export async function cleanUp(dependencies: EffectDependencies, input: CleanUpInput): Promise<void> {
  const { paths, log } = dependencies;
  const { keepBackups } = input;
  await scrub(dependencies, input);
  try {
    const removed = await pruneBackups(paths.deviceFolder, keepBackups);
    // Entries that a loss of power brought back: nobody else would ever remove them.
    const unfinished = [paths.snapshot, paths.credentials, paths.thermalConfig].map(temporaryPath);
    const probes = [paths.deviceFolder, paths.stateFolder].flatMap(probePaths);
    for (const path of [...unfinished, ...probes]) await durableRemove(path);
    if (removed.length > 0) log.info('backup.pruned', `Removed ${removed.length} old backups`, { removed });
  } catch (error) {
    log.warn('backup.unpruned', `Old backups could not be removed: ${toFailure(error).message}`);
  }
  await durableRemove(paths.credentials);
  log.debug('credentials.removed', 'The run is complete; credentials.json is removed', { file: paths.credentials });
}

export const cleanUpOf = (
  { keepBackups = DEFAULT_KEEP_BACKUPS }: AgentOptions,
  { settings }: ProvisionContext,
): CleanUpInput => ({
  keepBackups,
  settingsDigest: settings?.digest ?? null,
});
