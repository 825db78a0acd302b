import type { ProvisionContext } from './provision.types.ts';

/**
 * The states of the provisioning chart, in order. Every program and page that names a state reads this table.
 * `route` is missing: the chart enters and leaves it in the same step, so no run is ever seen there.
 * test/machines/states.test.ts names every other part that a new state needs.
 */
interface StateRow {
  readonly kind: 'active' | 'final';
  /**
   * The step of 8 that the state belongs to, counted from 1. null: the step that the run reached before. The numbers
   * are a contract: snapshot.json keeps them (`stepsDone`).
   */
  readonly step: number | null;
  /** Whether a run without failures enters the state. */
  readonly mainPath: boolean;
  /** The status of the run for operators and monitoring. */
  readonly status: 'pending' | 'in-progress' | 'completed' | 'failed';
}

interface ActiveRow extends StateRow {
  readonly kind: 'active';
  /** What is being done, for log lines, the progress display and `explain`. */
  readonly doing: string;
  /** What is known once the state is entered, for `explain`. null: nothing new. */
  readonly known: string | null;
  /**
   * When the effect (src/effects/, same name) starts. `afterBarrier`: once the state is on disk, because an unrecorded
   * attempt would do harm. `free`: at once. `none`: the state only waits.
   */
  readonly effect: 'free' | 'afterBarrier' | 'none';
}

interface FinalRow extends StateRow {
  readonly kind: 'final';
  /** How the run ended, for `explain`. */
  readonly ended: string;
  /** How the pages of `report` and `inspect` mark the run. */
  readonly outcome: 'done' | 'none' | 'attention' | 'failed';
}

export const STATES = {
  detect: {
    kind: 'active',
    step: 1,
    mainPath: true,
    status: 'pending',
    doing: 'Looking for provision.txt',
    known: null,
    // Only reads.
    effect: 'free',
  },
  validate: {
    kind: 'active',
    step: 2,
    mainPath: true,
    status: 'in-progress',
    doing: 'Checking provision.json, the configuration and the folders',
    known: null,
    // Only reads, and removes the files of its trial write.
    effect: 'free',
  },
  prepare: {
    kind: 'active',
    step: 3,
    mainPath: true,
    status: 'in-progress',
    doing: 'Generating a device name and a token, or reusing the stored ones',
    known: null,
    // The next attempt finds the stored name and token, and reuses them.
    effect: 'free',
  },
  request: {
    kind: 'active',
    step: 4,
    mainPath: true,
    status: 'in-progress',
    doing: 'Asking the server to register the device',
    known: null,
    // After a power loss an unrecorded request would look as if it was never sent.
    effect: 'afterBarrier',
  },
  backoff: {
    kind: 'active',
    step: null,
    mainPath: false,
    status: 'in-progress',
    doing: 'Waiting before the next try',
    known: null,
    effect: 'none',
  },
  reconcile: {
    kind: 'active',
    step: 4,
    mainPath: false,
    status: 'in-progress',
    doing: 'Asking the server whether an earlier request succeeded',
    known: null,
    // Only asks, and stores what the next attempt reuses.
    effect: 'free',
  },
  verifyCredentials: {
    kind: 'active',
    step: 5,
    mainPath: true,
    status: 'in-progress',
    doing: 'Testing the new credentials with the server',
    known: 'The server has issued the credentials',
    // Only asks, and stores what the next attempt reuses.
    effect: 'free',
  },
  backup: {
    kind: 'active',
    step: 6,
    mainPath: true,
    status: 'in-progress',
    doing: 'Backing up thermal_config.json',
    known: 'The credentials work',
    // The name of the backup is fixed before, so the next attempt finds the copy.
    effect: 'free',
  },
  write: {
    kind: 'active',
    step: 7,
    mainPath: true,
    status: 'in-progress',
    doing: 'Writing the credentials into thermal_config.json',
    known: 'The credentials work',
    // After a power loss the next start must know that the configuration was being changed.
    effect: 'afterBarrier',
  },
  restore: {
    kind: 'active',
    step: 7,
    mainPath: false,
    status: 'in-progress',
    doing: 'Putting the backup of thermal_config.json back',
    known: 'The written thermal_config.json is not usable',
    // As for write.
    effect: 'afterBarrier',
  },
  finalize: {
    kind: 'active',
    step: 8,
    mainPath: true,
    status: 'in-progress',
    doing: 'Renaming provision.txt to provision.txt.processed',
    known: 'thermal_config.json holds the new credentials',
    // Without provision.txt and without a recorded reason the run would count as withdrawn.
    effect: 'afterBarrier',
  },
  provisioned: {
    kind: 'final',
    step: 8,
    mainPath: true,
    status: 'completed',
    ended: 'It succeeded',
    outcome: 'done',
  },
  notRequested: {
    kind: 'final',
    step: null,
    mainPath: false,
    status: 'completed',
    ended: 'It found no provision.txt',
    outcome: 'none',
  },
  withdrawn: {
    kind: 'final',
    step: null,
    mainPath: false,
    status: 'completed',
    ended: 'It was cancelled, because provision.txt was removed',
    outcome: 'attention',
  },
  superseded: {
    kind: 'final',
    step: null,
    mainPath: false,
    status: 'failed',
    ended: 'It was cancelled, because provision.json was changed',
    outcome: 'attention',
  },
  failed: {
    kind: 'final',
    step: null,
    mainPath: false,
    status: 'failed',
    ended: 'It failed',
    outcome: 'failed',
  },
} as const satisfies Readonly<Record<string, ActiveRow | FinalRow>>;

type Table = typeof STATES;
export type ProvisionState = keyof Table;
export type ActiveState = { [Name in ProvisionState]: Table[Name] extends ActiveRow ? Name : never }[ProvisionState];
export type FinalState = Exclude<ProvisionState, ActiveState>;

export const isProvisionState = (name: string): name is ProvisionState => Object.hasOwn(STATES, name);
export const isFinalState = (state: ProvisionState): state is FinalState => STATES[state].kind === 'final';
const isActiveState = (state: ProvisionState): state is ActiveState => !isFinalState(state);

export const PROVISION_STATES: readonly ProvisionState[] = Object.keys(STATES).filter(isProvisionState);
export const ACTIVE_STATES: readonly ActiveState[] = PROVISION_STATES.filter(isActiveState);
export const FINAL_STATES: readonly FinalState[] = PROVISION_STATES.filter(isFinalState);
/** The steps of a run without failures, in order. */
export const STEPS: readonly ActiveState[] = ACTIVE_STATES.filter((state) => STATES[state].mainPath);

/** Steps that are done once a state is entered, as `furthestStep` in snapshot.json counts. null: not known. */
export function stepsDone(state: ProvisionState): number | null {
  const { kind, step } = STATES[state];
  return step === null || kind === 'final' ? step : step - 1;
}

/** Whether a run has ever entered this step or a later one, even if it repeats an earlier step now. */
export const hasReached = (step: ActiveState, { furthestStep }: Pick<ProvisionContext, 'furthestStep'>): boolean =>
  furthestStep >= (stepsDone(step) ?? 0);

/** The step of a run, 1 to 8. A pause belongs to the step that it repeats, a failure to the step that failed. */
export function stepOf(state: ProvisionState, { furthestStep }: Pick<ProvisionContext, 'furthestStep'>): number {
  return STATES[state].step ?? Math.min(furthestStep + 1, STEPS.length);
}
