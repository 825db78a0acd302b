import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DevicePaths, devicePaths } from '../../src/device/paths.ts';
import type { AtEnd } from './atEnd.ts';
import { contentId } from './contentId.ts';
import { OLD_CONFIG, provisionJsonText, putTrigger } from './deviceFiles.ts';
import { DEVICE_KEY, DEVICE_SECRET } from './server.ts';

/** A device folder of a test. */
export interface DeviceFolder {
  readonly paths: DevicePaths;
  /** provision.json as it was laid out, for tests that spoil it and put it back. */
  readonly provisionJson: string;
  /** thermal_config.json as it was laid out: its contentId. */
  readonly config: string;
}

export interface DeviceFolderOptions {
  /** Where provision.json sends the agent. */
  readonly port: number;
  /** More of, or instead of, the `provisioning` section. */
  readonly provisioning?: Readonly<Record<string, unknown>>;
  /** The `device` section. */
  readonly device?: Readonly<Record<string, unknown>>;
  /** null: no thermal_config.json. Default: OLD_CONFIG. */
  readonly config?: string | Uint8Array | null;
  /** Whether provision.txt lies there. Default true. */
  readonly requested?: boolean;
}

/** provision.json for a server: one second for each exchange and no retries, so that failures come quickly. */
export function quickProvisionJson({ port, provisioning, device }: DeviceFolderOptions): string {
  return provisionJsonText({
    port,
    provisioning: {
      device_key: DEVICE_KEY,
      device_secret: DEVICE_SECRET,
      timeout_seconds: 1,
      max_retries: 0,
      ...provisioning,
    },
    ...(device === undefined ? {} : { device }),
  });
}

/** An empty folder that any user may enter; removed after the test, whatever modes are in it then. */
export async function makeFolder(atEnd: AtEnd): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'thermal-device-'));
  await chmod(path, 0o755);
  atEnd(async () => {
    await chmod(path, 0o755);
    await rm(path, { recursive: true, force: true });
  });
  return path;
}

/** A device folder, ready to be provisioned. */
export async function makeDeviceFolder(atEnd: AtEnd, options: DeviceFolderOptions): Promise<DeviceFolder> {
  const paths = devicePaths(await makeFolder(atEnd));
  const { config = OLD_CONFIG, requested = true } = options;
  const provisionJson = quickProvisionJson(options);
  await writeFile(paths.provisionJson, provisionJson);
  if (config !== null) await writeFile(paths.thermalConfig, config);
  if (requested) await putTrigger(paths);
  return { paths, provisionJson, config: config === null ? 'no file' : contentId(config) };
}
