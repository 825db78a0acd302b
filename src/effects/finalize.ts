import type { FinalizeInput, FinalizeOutput } from '../../machines/provision.types.ts';
import { scrubSecret } from '../config/provision/scrubSecret.ts';
import { pruneBackups } from '../config/thermal/backups.ts';
import { isSameTrigger, triggerIdentity } from '../device/trigger.ts';
import { toFailure } from '../failures/failure.ts';
import { durableRemove, durableRename, temporaryPath } from '../files/durable.ts';
import { probePaths } from '../files/probe.ts';
import type { EffectCall, EffectDependencies } from './dependencies.ts';

/**
 * FR-008: renames provision.txt, but only the very file that started this run: one dropped meanwhile asks for another
 * provisioning and must survive.
 * @throws Failure DISK_ERROR, FOLDER_NOT_WRITABLE, FILE_NOT_PERMITTED
 */
export async function finalize(
  { paths, log, clock }: EffectDependencies,
  { input }: EffectCall<FinalizeInput>,
): Promise<FinalizeOutput> {
  const { provisionTxt, provisionTxtProcessed } = paths;
  const found = await triggerIdentity(provisionTxt);
  if (!isSameTrigger(found, input.trigger)) {
    if (found !== null) {
      log.warn('trigger.newer', 'A newer provision.txt was dropped during the run: it stays and asks for another run');
    }
    return { renamed: false, at: clock.now() };
  }
  await durableRename(provisionTxt, provisionTxtProcessed);
  if (!isSameTrigger(await triggerIdentity(provisionTxtProcessed), input.trigger)) {
    // It was replaced between the look and the rename: give it back, unless there is a third one already.
    if ((await triggerIdentity(provisionTxt)) === null) await durableRename(provisionTxtProcessed, provisionTxt);
    log.warn('trigger.newer', 'A newer provision.txt was dropped during the run: it asks for another run');
    return { renamed: false, at: clock.now() };
  }
  log.info('trigger.processed', 'provision.txt is now provision.txt.processed', { file: provisionTxtProcessed });
  return { renamed: true, at: clock.now() };
}

export interface SweepInput {
  readonly keepBackups: number;
  /** Of the settings that the run was made with. */
  readonly settingsDigest: string | null;
}

/**
 * `provisioning.scrub`: the secret goes only when the run needs it no more in any way, which is when `provisioned` is
 * durable. As long as credentials.json is there, a start after an interruption comes here again.
 */
async function scrub({ paths, elsewhere, log }: EffectDependencies, { settingsDigest }: SweepInput): Promise<void> {
  try {
    // A provision.txt that was dropped meanwhile asks for another run, which needs the secret, and comes here at its end.
    if (settingsDigest === null || (await triggerIdentity(paths.provisionTxt)) !== null) return;
    if (!(await scrubSecret(paths.provisionJson, elsewhere, settingsDigest))) return;
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
export async function sweep(dependencies: EffectDependencies, input: SweepInput): Promise<void> {
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
