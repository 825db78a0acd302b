import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type DevicePaths, devicePaths } from '../../src/device/paths.ts';
import type { GivenServer } from './options.ts';
import { inFlight } from './pool.ts';

/** How long a device waits for an answer, s. It is long because the agents share few cores. */
const TIMEOUT_SECONDS = 20;
/** With faults: many of them are silence, which costs the whole time limit. */
export const FAULTS_TIMEOUT_SECONDS = 2;
const MAKERS = 32;

const OLD_CONFIG = {
  thingsboard: { host: 'old.example', port: 1883, access_token: 'the-old-token', device_id: 'thermal-camera-OLD001' },
  telemetry: { interval_seconds: 15, measurement_spots: [] },
  site: { note: 'settings that provisioning must not touch' },
};

/** The device folder of a fleet's nth device, from 0. */
export const fleetDevice = (root: string, index: number): DevicePaths => devicePaths(join(root, String(index)));

export interface FleetFolders {
  readonly server: GivenServer;
  readonly namePrefix: string;
  readonly timeoutSeconds?: number;
}

/** Writes the folders of a fleet: each has a provisioning request and the configuration of a previous device. */
export async function layOutFleet(root: string, devices: number, options: FleetFolders): Promise<void> {
  const { host, port, useSsl, caFile, deviceKey, deviceSecret } = options.server;
  const provisionJson = JSON.stringify({
    provisioning: {
      // A bench may measure in RAM.
      allow_volatile_storage: true,
      device_key: deviceKey,
      device_secret: deviceSecret,
      host,
      port,
      use_ssl: useSsl,
      ...(caFile === undefined ? {} : { ca_file: 'ca.pem' }),
      timeout_seconds: options.timeoutSeconds ?? TIMEOUT_SECONDS,
      max_retries: 3,
      device_name_prefix: options.namePrefix,
    },
  });
  const config = `${JSON.stringify(OLD_CONFIG, null, 2)}\n`;
  await inFlight(devices, MAKERS, async (index) => {
    const paths = fleetDevice(root, index);
    await mkdir(paths.deviceFolder);
    await writeFile(paths.provisionJson, provisionJson, { mode: 0o600 });
    await writeFile(paths.thermalConfig, config);
    if (caFile !== undefined) await copyFile(caFile, join(paths.deviceFolder, 'ca.pem'));
    await writeFile(paths.provisionTxt, '');
  });
}
