import { lstat } from 'node:fs/promises';
import { applyEdits, modify } from 'jsonc-parser';
import { Failure } from '../../failures/failure.ts';
import { fileFailure } from '../../failures/fileFailure.ts';
import { durableReplace } from '../../files/durable.ts';
import type { Mount } from '../../files/mountTable.ts';
import { readLimited } from '../../files/readLimited.ts';
import { requireReplaceableFile } from '../../files/replaceable.ts';
import type { PlannedFile } from '../../files/trialWrite.ts';
import { readJsonObject } from '../json/strictJson.ts';
import type { ExternalSettings } from './externalSettings.ts';
import { MAX_PROVISION_BYTES, type PublicSettings, readPublicSettings } from './provisionJson.ts';
import { SETTINGS } from './provisionSettings.ts';
import { readSettingKeys, type SettingValue } from './settingKeys.ts';
import { takeSetting } from './settingProblem.ts';

const MAX_DEPTH = 32;
const BOM = '\uFEFF';

/**
 * Requires that the secret can be removed later, before the first request is sent. provision.json must be a plain file
 * in the device folder, and the agent must be able to keep its owner.
 * @param used path of the provision.json that was read
 * @param own path of provision.json in the device folder
 * @param mounts as `readMountTable` returns it; null: not known
 * @returns size, owner and mode that the file keeps
 * @throws Failure PROVISION_JSON_INVALID, FILE_NOT_PERMITTED, DISK_ERROR
 */
export async function requireScrubbable(
  used: string,
  own: string,
  mounts: readonly Mount[] | null,
): Promise<PlannedFile> {
  if (used !== own) throw new Failure('PROVISION_JSON_INVALID', 'scrubOutside', { path: used });
  const stats = await lstat(used).catch((error: unknown) => {
    throw fileFailure(error, `look at ${used}`);
  });
  if (!stats.isFile()) throw new Failure('PROVISION_JSON_INVALID', 'scrubLink', { path: used });
  await requireReplaceableFile(used, mounts, 'replaced by a file without the device secret (provisioning.scrub)');
  const self = process.geteuid?.();
  if (self === undefined || self === 0 || self === stats.uid) {
    const { size, mode, uid, gid } = stats;
    return { bytes: size, attributes: { mode: mode & 0o7777, owner: { uid, gid } } };
  }
  throw new Failure('FILE_NOT_PERMITTED', 'foreignProvisionJson', { path: used, uid: stats.uid, self });
}

/** The text without the secret in any of its spellings. Nothing else changes. */
const withoutSecret = (text: string, secrets: readonly SettingValue[]): string =>
  secrets.reduce((rest, { keys }) => applyEdits(rest, modify(rest, [...keys], undefined, {})), text);

/**
 * Removes the device secret durably from provision.json if the file has `scrub`. A file with other settings than the
 * run's stays as it is, because it may be for the next provisioning. May be repeated.
 * @param settingsDigest the digest of the run's settings
 * @returns whether the secret was removed
 * @throws Failure PROVISION_JSON_*, DISK_FULL, DISK_ERROR, FOLDER_NOT_WRITABLE, FILE_NOT_PERMITTED
 */
export async function scrubSecret(
  path: string,
  externalSettings: ExternalSettings | undefined,
  settingsDigest: string,
): Promise<boolean> {
  const read = await readLimited(path, MAX_PROVISION_BYTES, false);
  if (!read.ok) return false;
  const json = readJsonObject(read.bytes, MAX_DEPTH);
  if (!json.ok) return false;
  const keys = readSettingKeys(json.value, []);
  const secrets = keys.values.get(SETTINGS.deviceSecret);
  if (secrets === undefined || takeSetting(keys, SETTINGS.scrub, []) !== true) return false;
  const { digest }: PublicSettings = await readPublicSettings(path, externalSettings);
  if (digest !== settingsDigest) return false;
  const { uid, gid, mode } = read;
  const text = `${json.bom ? BOM : ''}${withoutSecret(json.text, secrets)}`;
  await durableReplace(path, Buffer.from(text), { mode, owner: { uid, gid } });
  return true;
}
