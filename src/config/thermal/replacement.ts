import type { FileAttributes } from '../../files/durable.ts';
import { folderOwner } from '../../files/ownFiles.ts';
import type { ThermalConfigFile } from './thermalConfig.ts';

/**
 * Owner and mode for a replaced thermal_config.json: an existing file keeps both, a new one is its folder's owner's
 * alone. @throws Failure DISK_ERROR, FILE_NOT_PERMITTED
 */
export async function replacementAttributes(existing: ThermalConfigFile): Promise<FileAttributes> {
  if (!existing.exists) return { mode: 0o600, ...(await folderOwner(existing.path)) };
  const same = existing.uid === process.geteuid?.() && existing.gid === process.getegid?.();
  return { mode: existing.mode, ...(same ? {} : { owner: { uid: existing.uid, gid: existing.gid } }) };
}
