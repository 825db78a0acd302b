import type { ChartFailure } from '../../machines/provision.failures.ts';
import type {
  EffectContracts,
  EffectError,
  EffectName,
  FailureRecord,
  ProvisionContext,
  ProvisionInput,
  ServerAddress,
} from '../../machines/provision.types.ts';
import type {
  OpenConnection,
  Publication,
  TelemetryContext,
  TelemetryFailure,
  TelemetryInput,
} from '../../machines/telemetry.types.ts';
import type { AllowList, AllowListOf } from './allowList.ts';

/** The fields that the charts' types declare. None of them holds a secret (provision.types.ts). */

const server: AllowListOf<ServerAddress> = { host: true, port: true, useSsl: true, caFile: true };
const trigger = { inode: true, mtimeNs: true } as const;
const issued = { deviceName: true, fingerprint: true, successSeen: true } as const;
const failure: AllowListOf<FailureRecord> = {
  code: true,
  message: true,
  hint: true,
  retryable: true,
  exitStatus: true,
  causes: [true],
};
const chartFailure: AllowListOf<FailureRecord | ChartFailure> = {
  ...failure,
  situation: true,
  facts: {
    server: true,
    name: true,
    others: true,
    times: true,
    resumes: true,
    trouble: true,
    advice: true,
    event: true,
  },
};
const settings = {
  digest: true,
  server,
  nameSource: true,
  maxRetries: true,
  timeoutSeconds: true,
  derived: true,
} as const;
const timed = { at: true, warnings: [true] } as const;

export const PROVISION_INPUT: AllowListOf<ProvisionInput> = {
  runId: true,
  at: true,
  knownStrategy: { digest: true, strategy: true },
};

export const PROVISION_CONTEXT: AllowListOf<ProvisionContext> = {
  runId: true,
  startedAt: true,
  now: true,
  trigger,
  settings,
  knownStrategy: { digest: true, strategy: true },
  previousDeviceId: true,
  newestBackupAt: true,
  nameIndex: true,
  deviceName: true,
  fingerprint: true,
  requestsOut: true,
  lastAnswer: true,
  unknownAt: true,
  probed: true,
  refusedProbes: true,
  retries: true,
  requestRetries: true,
  probeRetries: true,
  retryAt: true,
  waitingFor: true,
  lastFailure: failure,
  granted: issued,
  refusedVerifications: true,
  provenBy: true,
  backupName: true,
  backup: true,
  writeRounds: true,
  furthestStep: true,
  resumes: true,
  startedOver: true,
  warnings: [true],
  error: chartFailure,
};

export const EFFECT_ERROR: AllowListOf<EffectError> = { failure, at: true };

type EffectShapes = {
  readonly [Name in EffectName]: {
    readonly input: AllowListOf<EffectContracts[Name]['input']>;
    readonly output: AllowListOf<EffectContracts[Name]['output']>;
  };
};

export const PROVISION_EFFECTS: EffectShapes = {
  detect: { input: {}, output: { ...timed, trigger, unfinished: true } },
  validate: { input: {}, output: { ...timed, settings, previousDeviceId: true, newestBackupAt: true } },
  prepare: {
    input: { runId: true, settingsDigest: true, nameIndex: true, startedOver: true },
    output: {
      ...timed,
      nameIndex: true,
      deviceName: true,
      fingerprint: true,
      reused: true,
      answered: true,
      derived: true,
      granted: issued,
    },
  },
  request: {
    input: { runId: true, settingsDigest: true, nameIndex: true, unanswered: true },
    output: { ...timed, outcome: true, issued, failure },
  },
  reconcile: {
    input: { settingsDigest: true, nameIndex: true, includeCurrent: true },
    output: { ...timed, outcome: true, issued },
  },
  verifyCredentials: {
    input: { settingsDigest: true, successSeen: true },
    output: { ...timed, outcome: true, by: true, server, issued, failure },
  },
  backup: { input: { name: true }, output: { ...timed, name: true, made: true } },
  write: {
    input: { runId: true, server, deviceName: true, fingerprint: true, backup: true },
    output: { ...timed, outcome: true },
  },
  restore: { input: { backup: true }, output: timed },
  finalize: { input: { trigger }, output: { ...timed, renamed: true } },
};

const telemetryFailure: AllowListOf<TelemetryFailure> = { code: true, message: true, hint: true };
export const TELEMETRY_ERROR = telemetryFailure;
export const TELEMETRY_INPUT: AllowListOf<TelemetryInput> = { spread: true };

export const TELEMETRY_CONTEXT: AllowListOf<TelemetryContext> = {
  spread: true,
  intervalMs: true,
  elapsedMs: true,
  failuresInARow: true,
  connections: true,
  messages: true,
  lastFailure: telemetryFailure,
  runRequested: true,
};

const connection: AllowListOf<OpenConnection> = { server: true, deviceId: true, intervalMs: true };
const publication: AllowListOf<Publication> = { messages: true, elapsedMs: true };

/** Outputs of the effects in normal operation, by the state that runs them. The other effects have none. */
export const TELEMETRY_OUTPUTS: Readonly<Record<string, AllowList>> = {
  connecting: connection,
  sending: publication,
};
