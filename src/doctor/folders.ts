import { realpath, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { THERMAL_CONFIG } from '../config/thermal/thermalConfig.ts';
import { requireDeviceFolder, requireStateFolder } from '../device/folder.ts';
import type { DevicePaths } from '../device/paths.ts';
import { requireAppearsWritable } from '../files/appearsWritable.ts';
import { fileSystemName, isWithoutModes, requireChangeableAttributes } from '../files/foreignFileSystem.ts';
import { readMountTable } from '../files/mountTable.ts';
import { statOwnFolder } from '../files/ownFiles.ts';
import { requireReplaceableFile } from '../files/replaceable.ts';
import { EXPOSURE_HINT, exposureText } from '../files/trialWrite.ts';
import { type Checked, type Finding, failed, passed, warning } from './check.ts';

const modeOf = (mode: number): string => (mode & 0o7777).toString(8).padStart(3, '0');

/**
 * Checks whether the file system of a folder keeps modes and owners.
 * @param samples paths whose mode and owner are set to what they are
 * @throws Failure FILE_NOT_PERMITTED, DISK_ERROR
 */
async function checkModes(folder: string, samples: readonly string[]): Promise<Finding[]> {
  const fileSystem = await fileSystemName(folder, await readMountTable());
  for (const sample of samples) await requireChangeableAttributes(sample, fileSystem);
  const { mode } = await stat(folder);
  if (!isWithoutModes(fileSystem) || (mode & 0o077) === 0) return [];
  return [warning(exposureText(folder, fileSystem, mode & 0o777), EXPOSURE_HINT)];
}

/** Checks that the device folder exists and is writable, but not for every user. The fact is its path. */
export async function checkDeviceFolder(folder: string): Promise<Checked<string>> {
  const stats = await requireDeviceFolder(folder);
  const shown = `${folder} (mode ${modeOf(stats.mode)}, owner ${stats.uid})`;
  const open = (stats.mode & 0o002) !== 0;
  const findings = open ? [warning(`every user of this device can write to ${shown}`, `Run: chmod o-w ${folder}`)] : [];
  try {
    await requireAppearsWritable(folder);
    findings.push(...(await checkModes(folder, [join(folder, THERMAL_CONFIG), join(folder, 'provision.json')])));
    return { findings: findings.length > 0 ? findings : [passed(`${shown} appears writable`)], fact: folder };
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
  await checkModes(folder, [folder]);
  const mounts = await readMountTable();
  for (const path of [paths.snapshot, paths.credentials]) await requireReplaceableFile(path, mounts);
  if ((stats.mode & 0o077) === 0) return { findings: [passed(`${folder} is private and appears writable`)] };
  const finding = warning(
    `other users can access ${folder} (mode ${modeOf(stats.mode)}); the next run corrects this`,
    `Run: chmod 700 ${folder}`,
  );
  return { findings: [finding] };
}

/** Checks the folder in which thermal_config.json is replaced: the folder of the link's target. */
export async function checkConfigFolder(config: string, deviceFolder: string): Promise<Checked<never>> {
  const folder = dirname(config);
  if (folder === (await realpath(deviceFolder)))
    return { findings: [passed('thermal_config.json is not a link to another folder')] };
  await requireAppearsWritable(folder);
  const findings = await checkModes(folder, [config]);
  if (findings.length > 0) return { findings };
  return { findings: [passed(`${folder}, the folder of the link's target, appears writable`)] };
}
