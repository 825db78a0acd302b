/** The files that an operator puts into a camera's folder. */

import { writeFile } from 'node:fs/promises';
import type { DevicePaths } from '../../src/device/paths.ts';
import { DEFAULT_DEVICE_KEY, DEFAULT_DEVICE_SECRET } from '../../src/simulator/simulator.ts';

export const OLD_TOKEN = 'token-of-the-old-device';
export const OLD_DEVICE = 'thermal-camera-OLD001';

/** A configuration with keys that provisioning must not change, and a number that a double can't represent. */
export const OLD_CONFIG = `{
  "site": { "serial": 12345678901234567890123, "note": "caf\\u00e9" },
  "thingsboard": { "host": "old.example", "port": 1883, "access_token": "${OLD_TOKEN}",
                   "device_id": "${OLD_DEVICE}", "use_ssl": false, "keep_alive_seconds": 60, "qos_level": 1 },
  "telemetry": { "interval_seconds": 15, "measurement_spots": [] }
}
`;

export interface DeviceFiles {
  readonly port: number;
  /** More keys of section `provisioning`. */
  readonly provisioning?: Readonly<Record<string, unknown>>;
  /** Section `device`. */
  readonly device?: Readonly<Record<string, unknown>>;
}

/** provision.json for 127.0.0.1 with the simulator's default key; `provisioning` overrides both. */
export function provisionJsonText({ port, provisioning, device }: DeviceFiles): string {
  const server = { device_key: DEFAULT_DEVICE_KEY, device_secret: DEFAULT_DEVICE_SECRET, host: '127.0.0.1', port };
  return JSON.stringify({
    provisioning: { ...server, ...provisioning },
    ...(device === undefined ? {} : { device }),
  });
}

/** Requests provisioning. */
export const putTrigger = ({ provisionTxt }: DevicePaths): Promise<void> => writeFile(provisionTxt, '');
