import { countFleet, type Fleet } from '../../src/fleet/fleet.ts';
import type { DeviceStatus } from '../../src/status/deviceStatus.ts';
import { makeStatus } from '../../src/status/makeStatus.ts';
import { filesWith, GRANTED, NOW, runIn } from './statusFiles.ts';

const SERVER = { host: 'tb.example.com', port: 8883, useSsl: true };

const PROVISIONED = makeStatus(filesWith({ snapshot: runIn('provisioned', { granted: GRANTED }) }));

/** The document of a provisioned camera, with these changes. */
export function statusDocument(device: string | null, changes: Partial<DeviceStatus> = {}): DeviceStatus {
  return {
    ...PROVISIONED,
    status: 'done',
    exitStatus: 0,
    checkedAt: new Date(NOW).toISOString(),
    deviceFolder: '/var/lib/thermal-camera',
    stateFolder: '/var/lib/thermal-camera/provision-state',
    device,
    configuredDevice: device,
    server: SERVER,
    run: { id: `run-${device}`, startedAt: new Date(NOW).toISOString(), agentVersion: '1.0.0' },
    errors: [],
    warnings: [],
    next: null,
    ...changes,
  };
}

/** The document of a camera whose run has failed. */
export const failedDocument = (
  device: string | null,
  error: Partial<DeviceStatus['errors'][number]> = {},
  changes: Partial<DeviceStatus> = {},
): DeviceStatus =>
  statusDocument(device, {
    status: 'error',
    exitStatus: 1,
    errors: [
      {
        code: 'PROVISION_KEY_REFUSED',
        message: 'tb.example.com:8883 does not know this device_key and device_secret (NOT_FOUND)',
        hint: 'Copy device_key and device_secret again from the device profile.',
        retryable: false,
        ...error,
      },
    ],
    ...changes,
  });

/** Counts documents, each as a file of its own. */
export function fleetOf(documents: readonly DeviceStatus[]): Fleet {
  const count = countFleet();
  documents.forEach((status, index) => {
    count.add({
      status,
      source: `collected/camera-${index}.json`,
      entry: `camera-${index}`,
      seenAt: Date.parse(status.checkedAt),
    });
  });
  return count.result();
}
