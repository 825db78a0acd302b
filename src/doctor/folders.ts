import { access, constants, realpath } from 'node:fs/promises';
import { dirname } from 'node:path';
import { requireDeviceFolder } from '../device/folder.ts';
import { Failure } from '../failures/failure.ts';
import { fileFailure } from '../failures/fileFailure.ts';
import { statOwnFolder } from '../files/ownFiles.ts';
import { type Checked, failed, passed, warning } from './check.ts';

/**
 * Where files must be replaceable. Judged by modes, owners and mount flags, because a check changes nothing; `run`
 * proves it by writing.
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

/** The device folder: there, a folder, writable, closed to strangers. Its fact is its path. */
export async function checkDeviceFolder(folder: string): Promise<Checked<string>> {
  const stats = await requireDeviceFolder(folder);
  const shown = `${folder} (mode ${modeOf(stats.mode)}, owner ${stats.uid})`;
  const open = (stats.mode & 0o002) !== 0;
  const findings = open
    ? [warning(`${shown} can be written by every user of this device`, `Run: chmod o-w ${folder}`)]
    : [];
  try {
    await requireWritable(folder);
    return { findings: open ? findings : [passed(`${shown} can be written, judged by its mode`)], fact: folder };
  } catch (error) {
    // What lies in it can be read and checked all the same.
    return { findings: [failed(error), ...findings], fact: folder };
  }
}

/** The agent's own folder, or the one in which it would be made. */
export async function checkStateFolder(folder: string): Promise<Checked<never>> {
  const stats = await statOwnFolder(folder);
  if (stats === undefined) {
    await requireWritable(dirname(folder));
    return { findings: [passed(`${folder} does not exist yet; the first run makes it`)] };
  }
  await requireWritable(folder);
  if ((stats.mode & 0o077) === 0) return { findings: [passed(`${folder} is private and can be written`)] };
  const finding = warning(
    `${folder} is open to others (mode ${modeOf(stats.mode)}); the next run corrects that`,
    `Run: chmod 700 ${folder}`,
  );
  return { findings: [finding] };
}

/** The folder that a link leads thermal_config.json to: that is where it will be replaced. */
export async function checkConfigFolder(folder: string, deviceFolder: string): Promise<Checked<never>> {
  if (folder === (await realpath(deviceFolder)))
    return { findings: [passed('thermal_config.json is no link elsewhere')] };
  await requireWritable(folder);
  return { findings: [passed(`${folder}, where the link leads, can be written, judged by its mode`)] };
}
