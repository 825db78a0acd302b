/**
 * Types of the provisioning chart: context, events, and input and output of each effect. All values are plain JSON,
 * because the context is persisted. None is a secret: credentials appear as fingerprints. The chart never reads a
 * clock: the time comes with each event in `at` (milliseconds since the epoch).
 */

import type { ChartFailure } from './provision.failures.ts';

/** A failure as it is logged, shown and persisted. src/failures/catalogue.ts has the codes and their words. */
export interface FailureRecord {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
  readonly retryable: boolean;
  readonly exitStatus: number;
  readonly causes: readonly string[];
}

/** Identifies the provision.txt that started the run. A newer file of the same name asks for another run. */
export interface TriggerIdentity {
  readonly inode: string;
  readonly mtimeNs: string;
}

export interface ServerAddress {
  readonly host: string;
  readonly port: number;
  readonly useSsl: boolean;
  /** As in provision.json, relative to the device folder; null: the system's certificate authorities. */
  readonly caFile: string | null;
}

/** Only a random name can be replaced by another one. */
export type NameSource = 'fixed' | 'random' | 'mac' | 'serial' | 'machine-id' | 'hostname' | 'command' | 'template';

/** The settings that the chart keeps. Key and secret are read again from provision.json for each request. */
export interface SettingsSummary {
  /** Digest of host, port, key and name settings. A run resumes only while it is unchanged. */
  readonly digest: string;
  readonly server: ServerAddress;
  readonly nameSource: NameSource;
  readonly maxRetries: number;
  readonly timeoutSeconds: number;
  /** Set by `prepare`: the board secret gives the credentials, so the server may already know them. Absent: no. */
  readonly derived?: true | undefined;
}

/** The strategy of the device profile, as an earlier success showed it: the server took our token, or sent its own. */
export interface KnownStrategy {
  /** Digest of the settings of that run. */
  readonly digest: string;
  readonly strategy: 'creates' | 'checks';
}

/** Credentials that the server has issued. Only credentials.json holds the token itself. */
export interface IssuedSummary {
  readonly deviceName: string;
  readonly fingerprint: string;
  /** Whether this run itself received the server's SUCCESS. */
  readonly successSeen: boolean;
}

export interface ProvisionContext {
  readonly runId: string;
  /** Start of the run, ms since the epoch. */
  readonly startedAt: number;
  /** Time of the latest event, ms since the epoch. */
  readonly now: number;
  readonly trigger: TriggerIdentity | null;
  readonly settings: SettingsSummary | null;
  /** From an earlier run in the same folder; null: not known. */
  readonly knownStrategy: KnownStrategy | null;
  /** device_id that thermal_config.json held before this run. */
  readonly previousDeviceId: string | null;
  /** Stamp of the newest backup when the run began, ms since the epoch. */
  readonly newestBackupAt: number | null;

  /** Number of the tried name, from 1 to `maxNames`. Only a random name that was refused gets a successor. */
  readonly nameIndex: number;
  readonly deviceName: string | null;
  readonly fingerprint: string | null;
  /** Requests with this name that may have been sent. Reset when a new name is generated. */
  readonly requestsOut: number;
  readonly lastAnswer: 'none' | 'failure' | 'unknown';
  /**
   * When the agent stopped waiting for the latest unanswered request with this name, ms since the epoch. null: the
   * server has answered every request with this name. A later answer does not change that an earlier one is missing.
   */
  readonly unknownAt: number | null;
  /** Whether a probe was refused since the latest request. If so, another request may be sent. */
  readonly probed: boolean;
  /** Probes refused since the server answered FAILURE. */
  readonly refusedProbes: number;

  /** Retries spent of settings.maxRetries since the run last made progress. */
  readonly retries: number;
  /** Retries of a request since the run last made progress. Sets the next pause before a request. */
  readonly requestRetries: number;
  /** Retries of a probe since the server last answered one. Sets the next pause before a probe. */
  readonly probeRetries: number;
  /** End of the pause that `backoff` makes, ms since the epoch. */
  readonly retryAt: number | null;
  readonly waitingFor: 'retry' | 'probe' | 'verification' | null;
  /** The latest failure that an effect reported, also during retries. */
  readonly lastFailure: FailureRecord | null;

  readonly granted: IssuedSummary | null;
  readonly refusedVerifications: number;
  readonly provenBy: 'attributes' | 'connack' | null;

  /** Name of this run's backup. Fixed before the effect starts, so that a resumed run does not make a second one. */
  readonly backupName: string | null;
  /** Name of the backup with the previous configuration. null: there is no backup. */
  readonly backup: string | null;
  readonly writeRounds: number;

  /** The furthest step reached. Only a step further resets the retry and resume budgets. */
  readonly furthestStep: number;
  readonly resumes: number;
  /** provision.json changed before anything was sent: the generated name is dropped without a warning. */
  readonly startedOver: boolean;
  /** The newest warnings for the operator, at most `maxWarnings`. */
  readonly warnings: readonly string[];
  /** Why the run failed; set in `failed` only. */
  readonly error: FailureRecord | ChartFailure | null;
}

export interface ProvisionInput {
  readonly runId: string;
  /** ms since the epoch */
  readonly at: number;
  readonly knownStrategy: KnownStrategy | null;
}

// ---- effects: input and output, by the name of the state -----------------------------------------------------------

/** Every output carries the time at which the effect ended. */
export interface Timed {
  readonly at: number;
  readonly warnings?: readonly string[];
}

export type DetectInput = Record<string, never>;
export type DetectOutput = Timed & {
  readonly trigger: TriggerIdentity | null;
  /** Whether credentials.json of an earlier run exists. */
  readonly unfinished: boolean;
};

export type ValidateInput = Record<string, never>;
export type ValidateOutput = Timed & {
  readonly settings: SettingsSummary;
  readonly previousDeviceId: string | null;
  readonly newestBackupAt: number | null;
};

export interface PrepareInput {
  readonly runId: string;
  readonly settingsDigest: string;
  readonly nameIndex: number;
  readonly startedOver: boolean;
}
export type PrepareOutput = Timed & {
  readonly nameIndex: number;
  readonly deviceName: string;
  readonly fingerprint: string;
  /** Whether a request with these credentials may have been sent before: an earlier run had them, or they are derived. */
  readonly reused: boolean;
  /** Whether the server answered every request with the candidate, and registered no device. */
  readonly answered: boolean;
  /** Whether the board secret gives the credentials. */
  readonly derived: boolean;
  readonly granted: IssuedSummary | null;
};

export interface RequestInput {
  readonly runId: string;
  readonly settingsDigest: string;
  readonly nameIndex: number;
  /** Whether an earlier request with this name may have been left without an answer. */
  readonly unanswered: boolean;
}
export type RequestOutput = Timed &
  (
    | { readonly outcome: 'granted'; readonly issued: IssuedSummary }
    | { readonly outcome: 'failure'; readonly issued: null }
    | { readonly outcome: 'unknown'; readonly issued: null; readonly failure: FailureRecord }
  );

export interface ReconcileInput {
  readonly settingsDigest: string;
  readonly nameIndex: number;
  /** Whether a request with the current name may have been sent. Older names are always probed. */
  readonly includeCurrent: boolean;
}
export type ReconcileOutput = Timed &
  (
    | { readonly outcome: 'accepted'; readonly issued: IssuedSummary }
    | { readonly outcome: 'refused'; readonly issued: null }
  );

export interface VerifyCredentialsInput {
  readonly settingsDigest: string;
  readonly successSeen: boolean;
}
export type VerifyCredentialsOutput = Timed &
  (
    | {
        readonly outcome: 'proven';
        readonly by: 'attributes' | 'connack';
        readonly server: ServerAddress;
        /** Present only when the device's own token works and the token of a garbled answer does not. */
        readonly issued?: IssuedSummary;
      }
    | { readonly outcome: 'refused'; readonly failure: FailureRecord }
  );

export interface BackupInput {
  readonly name: string;
}
export type BackupOutput = Timed & {
  /** Name of the backup with the current configuration. null: there is no configuration yet. */
  readonly name: string | null;
  readonly made: boolean;
};

export interface WriteInput {
  readonly runId: string;
  readonly server: ServerAddress;
  readonly deviceName: string;
  /** Of the token that was proven. */
  readonly fingerprint: string;
  readonly backup: string | null;
}
export type WriteOutput = Timed & {
  /** `already`: an earlier attempt wrote it. `changed`: another program changed the file since the backup. */
  readonly outcome: 'written' | 'already' | 'changed' | 'unusable';
};

export interface RestoreInput {
  readonly backup: string | null;
}
export type RestoreOutput = Timed;

export interface FinalizeInput {
  readonly trigger: TriggerIdentity | null;
}
export type FinalizeOutput = Timed & {
  /** False: the run's provision.txt was renamed before, or a newer one has replaced it. */
  readonly renamed: boolean;
};

export interface EffectContracts {
  readonly detect: { input: DetectInput; output: DetectOutput };
  readonly validate: { input: ValidateInput; output: ValidateOutput };
  readonly prepare: { input: PrepareInput; output: PrepareOutput };
  readonly request: { input: RequestInput; output: RequestOutput };
  readonly reconcile: { input: ReconcileInput; output: ReconcileOutput };
  readonly verifyCredentials: { input: VerifyCredentialsInput; output: VerifyCredentialsOutput };
  readonly backup: { input: BackupInput; output: BackupOutput };
  readonly write: { input: WriteInput; output: WriteOutput };
  readonly restore: { input: RestoreInput; output: RestoreOutput };
  readonly finalize: { input: FinalizeInput; output: FinalizeOutput };
}
export type EffectName = keyof EffectContracts;

// ---- events -------------------------------------------------------------------------------------------------------

/** The value that an effect rejects with: the failure as plain JSON, and the time. */
export interface EffectError {
  readonly failure: FailureRecord;
  readonly at: number;
}

type EffectEnded = {
  [Name in EffectName]:
    | {
        readonly type: `xstate.done.actor.${Name}`;
        readonly output: EffectContracts[Name]['output'];
        readonly actorId: string;
      }
    | { readonly type: `xstate.error.actor.${Name}`; readonly error: unknown; readonly actorId: string };
}[EffectName];

export type ProvisionEvent =
  /** Resumes a restored run: sent once, after the actor was started from a snapshot. */
  | {
      readonly type: 'RESUME';
      readonly at: number;
      readonly trigger: TriggerIdentity | null;
      /** Digest of the current provision.json. null: the file can't be read, and the next effect reports that. */
      readonly settingsDigest: string | null;
    }
  /** The time limit of the process has passed. */
  | { readonly type: 'TIME_UP'; readonly at: number }
  | EffectEnded;
