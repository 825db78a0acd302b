import {
  deviceStorage,
  recoverableStorage,
  storageTexts,
  unseenStorage,
  volatileStorage,
} from '../device/deviceStorage.ts';
import type { DevicePaths } from '../device/paths.ts';
import type { StorageSources } from '../files/storage.ts';
import { type Checked, failed, passed, warning } from './check.ts';

const UNSEEN_HINT = 'Mount a volume or a persistent partition at the device folder, if it is lost in this way.';

/**
 * Checks that what a run writes outlasts a reboot.
 * @param configFolder the folder in which thermal_config.json is replaced
 * @param isAllowed provisioning.allow_volatile_storage
 * @param isRecoverable whether a board secret brings the device back
 */
export async function checkStorage(
  paths: DevicePaths,
  configFolder: string | undefined,
  { isAllowed, isRecoverable }: { readonly isAllowed: boolean; readonly isRecoverable: boolean },
  sources?: StorageSources,
): Promise<Checked<never>> {
  const folders = await deviceStorage(paths, configFolder, sources);
  const unseen = unseenStorage(folders);
  const findings = unseen === undefined ? [] : [warning(unseen, UNSEEN_HINT)];
  const failure = volatileStorage(folders);
  if (failure === undefined) {
    return { findings: unseen === undefined ? [passed(storageTexts(folders).join('; '))] : findings };
  }
  const recoverable = isRecoverable ? recoverableStorage(folders) : undefined;
  if (recoverable !== undefined) return { findings: [passed(recoverable), ...findings] };
  const volatile = isAllowed
    ? warning(`${failure.message}\nprovisioning.allow_volatile_storage allows this`, failure.hint)
    : failed(failure);
  return { findings: [volatile, ...findings] };
}
