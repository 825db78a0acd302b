/**
 * The provisioning chart’s vocabulary: context, events, and each effect’s input and output. Everything here is plain
 * JSON, because it is persisted; nothing here is ever a secret: credentials appear as fingerprints. Time enters only
 * through `at` (milliseconds since the epoch) on events, so the chart itself never reads a clock.
 */

/** A failure as it is logged, shown and persisted. src/failures/catalogue.ts has the codes and their words. */
export interface FailureRecord {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
  readonly retryable: boolean;
  readonly exitStatus: number;
  readonly causes: readonly string[];
}

/** A failure that the chart itself finds, without words: `wordedFailure` in src/failures adds them. */
export type ChartFailure =
  | {
      readonly code: 'DEVICE_NAME_TAKEN';
      readonly situation: 'taken' | 'perhapsOurs' | 'ownName';
      readonly facts: { readonly server: string; readonly name: string };
    }
  | {
      readonly code: 'PROVISIONING_REFUSED';
      readonly situation: 'allNames' | 'perhapsOurs';
      readonly facts: { readonly server: string; readonly name: string; readonly others: number };
    }
  | {
      readonly code: 'CONFIG_KEEPS_CHANGING';
      readonly situation: 'duringRun';
      readonly facts: { readonly times: number };
    }
  | { readonly code: 'CONFIG_NOT_WRITTEN'; readonly situation: 'backupPutBack'; readonly facts: Record<never, never> }
  | { readonly code: 'RESUME_LOOP'; readonly situation: 'noProgress'; readonly facts: { readonly resumes: number } }
  | { readonly code: 'RUN_TIME_LIMIT'; readonly situation: 'tooLong'; readonly facts: Record<never, never> }
  | {
      readonly code: 'RUN_TIME_LIMIT';
      readonly situation: 'afterTrouble';
      /** Message and hint of the latest failure that an effect reported. */
      readonly facts: { readonly trouble: string; readonly advice: string };
    }
  | { readonly code: 'INTERNAL'; readonly situation: 'effect'; readonly facts: { readonly event: string } };

/** Which provision.txt this run serves: a newer one of the same name is another request. */
export interface TriggerIdentity {
  readonly inode: string;
  readonly mtimeNs: string;
}

export interface ServerAddress {
  readonly host: string;
  readonly port: number;
  readonly useSsl: boolean;
  /** As in provision.json, relative to the device folder; null: the system’s certificate authorities. */
  readonly caFile: string | null;
}

export type NameSource = 'fixed' | 'random' | 'mac';

/** What the chart remembers of provision.json. Key, secret and limits are read afresh for each request. */
export interface SettingsSummary {
  /** Over host, port, key and name settings: a run goes on only with the file it began with. */
  readonly digest: string;
  readonly server: ServerAddress;
  readonly nameSource: NameSource;
  readonly maxRetries: number;
  readonly timeoutSeconds: number;
}

/** Credentials that the server has given us; the token itself lies in credentials.json only. */
export interface IssuedSummary {
  readonly deviceName: string;
  readonly fingerprint: string;
  /** Whether this run has seen the server’s SUCCESS with its own eyes. */
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
  /** device_id that thermal_config.json held before this run. */
  readonly previousDeviceId: string | null;
  /** Stamp of the newest backup when the run began, ms since the epoch. */
  readonly newestBackupAt: number | null;

  /** Which name is tried, from 1 to `maxNames`: only a refused random name is drawn again. */
  readonly nameIndex: number;
  readonly deviceName: string | null;
  readonly fingerprint: string | null;
  /** Requests under this name that may have left the device: sticky, until a new name is drawn. */
  readonly requestsOut: number;
  readonly lastAnswer: 'none' | 'failure' | 'unknown';
  /** When the latest request of unknown outcome was given up, ms since the epoch. */
  readonly unknownAt: number | null;
  /** Whether a probe was refused since the latest request: then another request may be sent. */
  readonly probed: boolean;
  /** Probes refused since the server answered FAILURE. */
  readonly refusedProbes: number;

  /** Retries spent of settings.maxRetries since the run last made progress. */
  readonly retries: number;
  /** End of the pause that `backoff` makes, ms since the epoch. */
  readonly retryAt: number | null;
  readonly waitingFor: 'retry' | 'probe' | 'verification' | null;
  /** The latest failure that an effect reported, also while it is being retried. */
  readonly lastFailure: FailureRecord | null;

  readonly granted: IssuedSummary | null;
  readonly refusedVerifications: number;
  readonly provenBy: 'attributes' | 'connack' | null;

  /** Name of the backup that this run makes: fixed before the effect starts, so that a resumed run makes no second. */
  readonly backupName: string | null;
  /** The copy that holds the configuration as it was; null while there was none to copy. */
  readonly backup: string | null;
  readonly writeRounds: number;

  /** The furthest step reached: progress, and nothing else, refills the budgets. */
  readonly furthestStep: number;
  readonly resumes: number;
  /** provision.json changed before anything had left: the drawn name is dropped without a word. */
  readonly startedOver: boolean;
  /** For the operator: the newest ones (`maxWarnings`). */
  readonly warnings: readonly string[];
  /** Why the run failed; set in `failed` only. */
  readonly error: FailureRecord | ChartFailure | null;
}

export interface ProvisionInput {
  readonly runId: string;
  /** ms since the epoch */
  readonly at: number;
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
  /** credentials.json of an earlier run lies there. */
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
  /** The candidate stems from an earlier run, which may have sent a request with it. */
  readonly reused: boolean;
  readonly granted: IssuedSummary | null;
};

export interface RequestInput {
  readonly runId: string;
  readonly settingsDigest: string;
  readonly nameIndex: number;
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
  /** Whether a request under the current name may have left; older names are always probed. */
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
        /** Only when the device's own token was proven in place of the one in a garbled answer. */
        readonly issued?: IssuedSummary;
      }
    | { readonly outcome: 'refused'; readonly failure: FailureRecord }
  );

export interface BackupInput {
  readonly name: string;
}
export type BackupOutput = Timed & {
  /** The copy that holds the current configuration; null: there is no configuration yet. */
  readonly name: string | null;
  readonly made: boolean;
};

export interface WriteInput {
  readonly runId: string;
  readonly server: ServerAddress;
  readonly deviceName: string;
  readonly backup: string | null;
}
export type WriteOutput = Timed & {
  /** `already`: an earlier attempt had written it. `changed`: another program wrote since the backup. */
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
  /** False: our provision.txt had been renamed before, or a newer one lies there. */
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

/** What an effect rejects with: the failure in its plain form, and when. */
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
  /** A restored run goes on: sent once after the actor was started from a snapshot. */
  | {
      readonly type: 'RESUME';
      readonly at: number;
      readonly trigger: TriggerIdentity | null;
      /** Digest of provision.json as it is now; null: it can't be read, which the next effect reports. */
      readonly settingsDigest: string | null;
    }
  /** The process has used up its time. */
  | { readonly type: 'TIME_UP'; readonly at: number }
  | EffectEnded;
