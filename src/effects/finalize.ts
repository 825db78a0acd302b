import type { FinalizeInput, FinalizeOutput } from '../../machines/provision.types.ts';
import { isRenamedTrigger, isStillTrigger, triggerIdentity } from '../device/trigger.ts';
import { durableRename } from '../files/durable.ts';
import type { EffectCall, EffectDependencies } from './dependencies.ts';

/**
 * FR-008: renames provision.txt, but only the file that started this run. A file that has replaced it starts another
 * run and must stay.
 * @throws Failure DISK_ERROR, FOLDER_NOT_WRITABLE, FILE_NOT_PERMITTED
 */
export async function finalize(
  { paths, log, clock }: EffectDependencies,
  { input }: EffectCall<FinalizeInput>,
): Promise<FinalizeOutput> {
  const { provisionTxt, provisionTxtProcessed } = paths;
  const found = await triggerIdentity(provisionTxt);
  if (!(await isStillTrigger(provisionTxt, found, input.trigger))) {
    if (found !== null) {
      log.warn('trigger.newer', 'provision.txt was replaced during the run: the new file stays and starts another run');
    }
    return { renamed: false, at: clock.now() };
  }
  await durableRename(provisionTxt, provisionTxtProcessed);
  const renamed = await triggerIdentity(provisionTxtProcessed);
  if (!(await isRenamedTrigger(provisionTxtProcessed, renamed, found))) {
    // The file was replaced between check and rename: rename it back, unless a third file has appeared.
    if ((await triggerIdentity(provisionTxt)) === null) await durableRename(provisionTxtProcessed, provisionTxt);
    log.warn('trigger.newer', 'provision.txt was replaced during the run: the new file starts another run');
    return { renamed: false, at: clock.now() };
  }
  log.info('trigger.processed', 'Renamed provision.txt to provision.txt.processed', { file: provisionTxtProcessed });
  return { renamed: true, at: clock.now() };
}
