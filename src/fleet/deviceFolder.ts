import { basename } from 'node:path';
import { devicePaths } from '../device/paths.ts';
import type { DeviceFiles } from '../status/deviceFiles.ts';
import { readDeviceFiles } from '../status/deviceFiles.ts';
import { makeStatus } from '../status/makeStatus.ts';
import { timeOf } from './camera.ts';
import type { Found } from './fleet.ts';

/** Names of which one is in every device folder. */
const MARKS = Object.entries(devicePaths('/'))
  .filter(([name]) => name !== 'deviceFolder')
  .map(([, path]) => path)
  .filter((path) => path.lastIndexOf('/') === 0)
  .map((path) => basename(path));

/** Whether a folder with these names is the folder of a device. */
export const isDeviceFolder = (names: readonly string[]): boolean => names.some((name) => MARKS.includes(name));

/** When the device last recorded something in its files. null: it never has. */
function recordedAt({ holder, readAt, snapshot, events, trigger }: DeviceFiles): number | null {
  if (holder !== null) return readAt;
  const times = [timeOf(snapshot.value?.savedAt), timeOf(events.value?.records.at(-1)?.time), trigger.value ?? null];
  const known = times.filter((time) => time !== null);
  return known.length === 0 ? null : Math.max(...known);
}

/** Whether this user can't read the files, so that their assessment says nothing about the device. */
const isShutOut = ({ folder, snapshot, credentials, trigger }: DeviceFiles): boolean =>
  [folder, snapshot, credentials, trigger].some(({ problem }) => problem?.code === 'FILE_NOT_PERMITTED');

/**
 * Reads a device folder, which may be a copy from another machine.
 * @returns undefined: files in it can't be read
 */
export async function readDeviceFolder(folder: string): Promise<Omit<Found, 'source' | 'entry'> | undefined> {
  const files = await readDeviceFiles(devicePaths(folder), { elsewhere: true });
  return isShutOut(files) ? undefined : { status: makeStatus(files), seenAt: recordedAt(files) };
}
