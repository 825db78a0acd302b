import { Failure } from '../../failures/failure.ts';
import type { FileAttributes } from '../../files/durable.ts';
import type { Mount } from '../../files/mountTable.ts';
import { mayGiveTo } from '../../files/ownership.ts';
import { folderOwner } from '../../files/ownFiles.ts';
import { requireReplaceableFile } from '../../files/replaceable.ts';
import type { ThermalConfigFile } from './thermalConfig.ts';

/**
 * Requires that the file can be replaced with its owner and group unchanged, because the camera's client may depend on
 * them.
 * @param mounts as `readMountTable` returns it; null: not known
 * @throws Failure FILE_NOT_PERMITTED, DISK_ERROR
 */
export async function requireReplaceable(config: ThermalConfigFile, mounts: readonly Mount[] | null): Promise<void> {
  await requireReplaceableFile(config.path, mounts);
  const self = process.geteuid?.();
  if (!config.exists || self === undefined) return;
  const groups = [process.getegid?.(), ...(process.getgroups?.() ?? [])];
  if (config.uid === self && groups.includes(config.gid)) return;
  if (await mayGiveTo(config.uid, config.gid)) return;
  const { path, uid, gid } = config;
  throw new Failure('FILE_NOT_PERMITTED', 'foreignConfig', { path, uid, gid, self });
}

/**
 * Owner and mode for the new thermal_config.json: an existing file keeps both. A new file has mode 0600 and is owned by
 * the owner of its folder.
 * @throws Failure DISK_ERROR, FILE_NOT_PERMITTED
 */
export async function replacementAttributes(existing: ThermalConfigFile): Promise<FileAttributes> {
  if (!existing.exists) return { mode: 0o600, ...(await folderOwner(existing.path)) };
  return { mode: existing.mode, owner: { uid: existing.uid, gid: existing.gid } };
}
