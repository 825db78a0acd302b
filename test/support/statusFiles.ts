import type { ProvisionState } from '../../machines/provision.states.ts';
import { devicePaths } from '../../src/device/paths.ts';
import type { SnapshotDocument } from '../../src/state/snapshotDocument.ts';
import type { ConfiguredDevice } from '../../src/status/configuredDevice.ts';
import type { DeviceFiles } from '../../src/status/deviceFiles.ts';
import { type Part, type Problem, present, unusable } from '../../src/status/part.ts';
import type { StoredCredentials } from '../../src/status/storedCredentials.ts';
import { DIGEST } from './chartAnswers.ts';
import { START } from './chartRun.ts';
import { snapshotIn } from './snapshots.ts';

export const NOW = START + 60_000;
export const SERVER = { host: 'tb.example', port: 1883, useSsl: false, caFile: null };
export const SETTINGS = {
  digest: DIGEST,
  server: SERVER,
  nameSource: 'random',
  maxRetries: 3,
  timeoutSeconds: 1,
} as const;
export const GRANTED = { deviceName: 'cam-1', fingerprint: '00000001', successSeen: true };

export const STORED: StoredCredentials = {
  target: { digest: DIGEST, host: 'tb.example', port: 1883 },
  foreign: false,
  mayBeThisBoard: false,
  names: ['cam-1'],
  registeredNothing: false,
  generatedBy: ['run-1'],
  granted: null,
  fingerprint: null,
};

export const CONFIG: ConfiguredDevice = {
  deviceId: 'cam-0',
  host: 'old.example',
  port: 1883,
  fingerprint: '00000000',
  runId: null,
  provisionedAt: null,
  problems: [],
};

export const problem = (code: Problem['code']): { readonly value: undefined; readonly problem: Problem } =>
  unusable({ code, message: `the message of ${code}`, hint: `the hint of ${code}`, retryable: false });

export interface Found {
  readonly requested?: boolean;
  readonly snapshot?: SnapshotDocument | Part<SnapshotDocument | null>;
  readonly credentials?: StoredCredentials | Part<StoredCredentials | null>;
  readonly config?: ConfiguredDevice | Part<ConfiguredDevice | null>;
}

const asPart = <T extends object>(given: T | Part<T | null> | undefined): Part<T | null> => {
  if (given === undefined) return present(null);
  return 'problem' in given ? given : present(given);
};

/** The files of a device, as read: those of a camera that was never provisioned, with these changes. */
export function filesWith(found: Found = {}, more: Partial<DeviceFiles> = {}): DeviceFiles {
  return {
    paths: devicePaths('/device'),
    readAt: NOW,
    folder: present(0o755),
    storage: present(true),
    derives: false,
    volatile: null,
    trigger: present(found.requested === true ? START : null),
    nearMisses: { trigger: [], provisionJson: [] },
    processed: present(null),
    target: present({ ...SERVER, name: { source: 'random', prefix: 'thermal-camera' }, digest: DIGEST }),
    snapshot: asPart(found.snapshot),
    credentials: asPart(found.credentials),
    config: asPart(found.config ?? CONFIG),
    events: present({ records: [], skipped: 0 }),
    backups: present([]),
    setAside: present([]),
    holder: null,
    lockNote: null,
    ...more,
  };
}

/** A snapshot of a run that knows its server and has generated a name. */
export const runIn = (state: ProvisionState, context: Partial<SnapshotDocument['context']> = {}): SnapshotDocument =>
  snapshotIn(state, { settings: SETTINGS, deviceName: 'cam-1', fingerprint: '00000001', ...context });
