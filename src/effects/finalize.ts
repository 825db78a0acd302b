import type { FinalizeInput, FinalizeOutput } from '../../machines/provision.types.ts';
import { isSameTrigger, triggerIdentity } from '../device/trigger.ts';
import { durableRename } from '../files/durable.ts';
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
