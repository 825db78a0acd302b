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
  /** The original text of provision.json, for tests that damage and repair the file. */
  readonly provisionJson: string;
  /** contentId of the original thermal_config.json. */
  readonly config: string;
}

export interface DeviceFolderOptions {
  /** Port of the server in provision.json. */
  readonly port: number;
  /** More keys, or other values, of section `provisioning`. */
  readonly provisioning?: Readonly<Record<string, unknown>>;
  /** Section `device`. */
  readonly device?: Readonly<Record<string, unknown>>;
  /** null: no thermal_config.json. Default: OLD_CONFIG. */
  readonly config?: string | Uint8Array | null;
  /** Whether provision.txt exists. Default true. */
  readonly requested?: boolean;
}

/** provision.json with one second for each exchange and no retries, so that runs fail quickly. */
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

/** An empty folder that any user may enter. It is removed after the test, also with read-only folders in it. */
export async function makeFolder(atEnd: AtEnd): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'thermal-device-'));
  await chmod(path, 0o755);
  atEnd(async () => {
    await chmod(path, 0o755);
    await rm(path, { recursive: true, force: true });
  });
  return path;
}

/** A device folder with a provisioning request. */
export async function makeDeviceFolder(atEnd: AtEnd, options: DeviceFolderOptions): Promise<DeviceFolder> {
  const paths = devicePaths(await makeFolder(atEnd));
  const { config = OLD_CONFIG, requested = true } = options;
  const provisionJson = quickProvisionJson(options);
  await writeFile(paths.provisionJson, provisionJson);
  if (config !== null) await writeFile(paths.thermalConfig, config);
  if (requested) await putTrigger(paths);
  return { paths, provisionJson, config: config === null ? 'no file' : contentId(config) };
}
