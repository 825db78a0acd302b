import { access, constants, realpath } from 'node:fs/promises';
import { dirname } from 'node:path';
import { requireDeviceFolder } from '../device/folder.ts';
import { Failure } from '../failures/failure.ts';
import { fileFailure } from '../failures/fileFailure.ts';
import { statOwnFolder } from '../files/ownFiles.ts';
import { type Checked, failed, passed, warning } from './check.ts';

/**
 * Requires a folder that appears writable. It reads only modes, owners and mount flags, because a check changes
 * nothing. `run` tests it by writing.
 * @throws Failure FOLDER_NOT_WRITABLE, DISK_ERROR
 */
async function requireWritable(folder: string): Promise<void> {
  await access(folder, constants.W_OK | constants.X_OK).catch((error: unknown) => {
    const failure = fileFailure(error, `write to the folder ${folder}`);
    if (failure.code !== 'FILE_NOT_PERMITTED') throw failure;
    throw new Failure('FOLDER_NOT_WRITABLE', 'noPermission', { folder }, error);
  });
}

const modeOf = (mode: number): string => (mode & 0o7777).toString(8).padStart(3, '0');

/** Checks that the device folder exists and is writable, but not for every user. The fact is its path. */
export async function checkDeviceFolder(folder: string): Promise<Checked<string>> {
  const stats = await requireDeviceFolder(folder);
  const shown = `${folder} (mode ${modeOf(stats.mode)}, owner ${stats.uid})`;
  const open = (stats.mode & 0o002) !== 0;
  const findings = open ? [warning(`every user of this device can write to ${shown}`, `Run: chmod o-w ${folder}`)] : [];
  try {
    await requireWritable(folder);
    return { findings: open ? findings : [passed(`${shown} appears writable`)], fact: folder };
  } catch (error) {
    // The files in the folder can still be read and checked.
    return { findings: [failed(error), ...findings], fact: folder };
  }
}

/** Checks the agent's state folder. If it does not exist, its parent folder must be writable. */
export async function checkStateFolder(folder: string): Promise<Checked<never>> {
  const stats = await statOwnFolder(folder);
  if (stats === undefined) {
    await requireWritable(dirname(folder));
    return { findings: [passed(`${folder} does not exist yet; the first run creates it`)] };
  }
  await requireWritable(folder);
  if ((stats.mode & 0o077) === 0) return { findings: [passed(`${folder} is private and appears writable`)] };
  const finding = warning(
    `other users can access ${folder} (mode ${modeOf(stats.mode)}); the next run corrects this`,
    `Run: chmod 700 ${folder}`,
  );
  return { findings: [finding] };
}

/** Checks the folder in which thermal_config.json is replaced: the folder of the link's target. */
export async function checkConfigFolder(folder: string, deviceFolder: string): Promise<Checked<never>> {
  if (folder === (await realpath(deviceFolder)))
    return { findings: [passed('thermal_config.json is not a link to another folder')] };
  await requireWritable(folder);
  return { findings: [passed(`${folder}, the folder of the link's target, appears writable`)] };
}
