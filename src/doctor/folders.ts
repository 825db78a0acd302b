import { realpath } from 'node:fs/promises';
import { dirname } from 'node:path';
import { requireDeviceFolder, requireStateFolder } from '../device/folder.ts';
import type { DevicePaths } from '../device/paths.ts';
import { requireAppearsWritable } from '../files/appearsWritable.ts';
import { statOwnFolder } from '../files/ownFiles.ts';
import { type Checked, failed, passed, warning } from './check.ts';

const modeOf = (mode: number): string => (mode & 0o7777).toString(8).padStart(3, '0');

/** Checks that the device folder exists and is writable, but not for every user. The fact is its path. */
export async function checkDeviceFolder(folder: string): Promise<Checked<string>> {
  const stats = await requireDeviceFolder(folder);
  const shown = `${folder} (mode ${modeOf(stats.mode)}, owner ${stats.uid})`;
  const open = (stats.mode & 0o002) !== 0;
  const findings = open ? [warning(`every user of this device can write to ${shown}`, `Run: chmod o-w ${folder}`)] : [];
  try {
    await requireAppearsWritable(folder);
    return { findings: open ? findings : [passed(`${shown} appears writable`)], fact: folder };
  } catch (error) {
    // The files in the folder can still be read and checked.
    return { findings: [failed(error), ...findings], fact: folder };
  }
}

/** Checks the agent's state folder. If it does not exist, its parent folder must be writable. */
export async function checkStateFolder(paths: DevicePaths): Promise<Checked<never>> {
  await requireStateFolder(paths);
  const folder = paths.stateFolder;
  const stats = await statOwnFolder(folder);
  if (stats === undefined) {
    await requireAppearsWritable(dirname(folder));
    return { findings: [passed(`${folder} does not exist yet; the first run creates it`)] };
  }
  await requireAppearsWritable(folder);
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
  await requireAppearsWritable(folder);
  return { findings: [passed(`${folder}, the folder of the link's target, appears writable`)] };
}
