/**
 * The library entry, for programs that embed the agent (docs/library.md). All public types are declared here, so that
 * the type declarations of the package are this one file and name no type of a dependency.
 */
import { resolve } from 'node:path';
import { type ProvisionState, STEPS, stepOf } from '../machines/provision.states.ts';
import type { FailureRecord } from '../machines/provision.types.ts';
import { devicePaths } from './device/paths.ts';
import { type FailureCode, isFailureCode } from './failures/catalogue.ts';
import { toFailureRecord } from './failures/failure.ts';
import { createLog, type Log } from './log/log.ts';
import { runAgent } from './provision/agent.ts';
import { DEFAULT_KEEP_BACKUPS, MAX_KEEP_BACKUPS } from './provision/pass.ts';
import type { AgentResult } from './provision/result.ts';
import type { RecordedContext } from './state/snapshotDocument.ts';
import { systemClock } from './time/clock.ts';
import { VERSION } from './version.ts';

/** Options of `provision`. */
export interface ProvisionOptions {
  /** Device folder, with provision.txt, provision.json and thermal_config.json. */
  readonly dir: string;
  /** The agent's own folder; default: `provision-state` in the device folder. */
  readonly stateDir?: string | undefined;
  /** Aborted: the run is interrupted, and the next call on that folder resumes it. */
  readonly signal?: AbortSignal | undefined;
  /** Number of backups of thermal_config.json to keep after a success, 1 to 1000; default 5. */
  readonly keepBackups?: number | undefined;
  /** Replaces the board's serial number, like THERMAL_BOARD_ID for the command; default: read from the hardware. */
  readonly boardId?: string | undefined;
  /** Called with every log record. The library itself prints nothing. */
  readonly onLog?: ((record: LogRecord) => void) | undefined;
  /** Called with each state of the run as soon as it is entered. */
  readonly onProgress?: ((progress: ProvisionProgress) => void) | undefined;
}

/** Progress of a run. */
export interface ProvisionProgress {
  readonly runId: string;
  readonly state: ProvisionState;
  /** The current step, 1 to `steps`. Pauses and probes belong to the step that they repeat. */
  readonly step: number;
  readonly steps: number;
  /** The current try, from 1. */
  readonly attempt: number;
  /** null until provision.json is read. */
  readonly maxAttempts: number | null;
  /** null until a name is generated. */
  readonly deviceName: string | null;
  /** In `backoff`: length of the pause in ms, otherwise null. */
  readonly retryInMs: number | null;
  /** In `backoff` and `failed`: the failure that is retried or that ended the run, otherwise null. */
  readonly failure: ProvisionFailure | null;
}

/** A failure that is retried or that ended the run. docs/failures.md has an entry for each code. */
export interface ProvisionFailure {
  readonly code: FailureCode;
  /** What happened, to which file or server, and why. */
  readonly message: string;
  /** What to do next. */
  readonly hint: string;
  /** Whether a retry after a moment may succeed. */
  readonly retryable: boolean;
  /** Exit status of the command for this failure (sysexits.h). */
  readonly exitStatus: number;
  /** The causes, outermost first. */
  readonly causes: readonly string[];
}

/** One line of the log. It never holds a secret. */
export interface LogRecord {
  /** ISO 8601, UTC. */
  readonly time: string;
  readonly level: 'error' | 'warn' | 'info' | 'debug';
  /** Stable dotted name, for programs (docs/events.md). */
  readonly event: string;
  /** A sentence, for people. */
  readonly message: string;
  readonly runId: string | null;
  readonly state: string | null;
  readonly attempt: number | null;
  readonly details: Readonly<Record<string, string | number | boolean | null | undefined | readonly string[]>>;
}

interface Ended<Outcome extends string> {
  readonly outcome: Outcome;
  /** Exit status of the command `run` in this case: 0, or 75 after an interruption. */
  readonly exitStatus: number;
  readonly runId: string | null;
  readonly deviceName: string | null;
  readonly failure: null;
}

interface Failed {
  readonly outcome: 'failed';
  readonly exitStatus: number;
  readonly runId: string | null;
  /** The name that was tried. A device of this name may exist on the server. */
  readonly deviceName: string | null;
  readonly failure: ProvisionFailure;
}

/**
 * The end of a pass. `nothing`: there is no provision.txt. `withdrawn`: provision.txt was removed during the run.
 * `interrupted`: by the signal.
 */
export type ProvisionResult = Ended<'nothing' | 'provisioned' | 'withdrawn' | 'interrupted'> | Failed;

/**
 * One pass over a device folder, like the command `run`: starts a run, or resumes an interrupted one, and completes it.
 * Prints nothing, installs no signal handlers, and never ends the process. Passes on different folders may run at the
 * same time. A second pass on the same folder fails with LOCKED.
 * @returns the end of the pass, with any failure of disk, network or server
 * @throws TypeError, RangeError as a rejection, when an option is wrong: a defect of the calling program
 */
export async function provision(options: ProvisionOptions): Promise<ProvisionResult> {
  const { dir, stateDir, signal, keepBackups = DEFAULT_KEEP_BACKUPS, boardId = '', onLog, onProgress } = options;
  requireFolderName('dir', dir);
  if (stateDir !== undefined) requireFolderName('stateDir', stateDir);
  if (!Number.isInteger(keepBackups) || keepBackups < 1 || keepBackups > MAX_KEEP_BACKUPS) {
    throw new RangeError(`keepBackups must be a whole number from 1 to ${MAX_KEEP_BACKUPS}`);
  }
  // A failure of the log callback can't be logged, so it is ignored.
  const sink = (record: LogRecord): void => tell(onLog, record, () => {});
  const log = createLog(sink, systemClock(), { runId: null, state: null, attempt: null });
  const result = await runAgent({
    paths: devicePaths(resolve(dir), stateDir === undefined ? undefined : resolve(stateDir)),
    agentVersion: VERSION,
    sink,
    // A separate signal: Node warns about more than ten listeners on one signal, and many runs may share it.
    signal: AbortSignal.any(signal === undefined ? [] : [signal]),
    keepBackups,
    boardId,
    onState: (state, context) => tell(onProgress, progressOf(state, context), (error) => logDefect(log, error)),
  });
  return publicResult(result);
}

function requireFolderName(option: string, value: unknown): void {
  if (typeof value !== 'string' || value === '') throw new TypeError(`${option} must be the path of a folder`);
}

/** Calls the callback. Its failure, also an asynchronous one, must not end the run. */
function tell<Value>(
  callback: ((value: Value) => unknown) | undefined,
  value: Value,
  failed: (error: unknown) => void,
) {
  try {
    Promise.resolve(callback?.(value)).catch(failed);
  } catch (error) {
    failed(error);
  }
}

function logDefect(log: Log, error: unknown): void {
  const what = error instanceof Error ? error.message : `a thrown ${typeof error}`;
  log.warn('callback.failed', `onProgress failed; the run continues: ${what}`);
}

function publicFailure(record: FailureRecord): ProvisionFailure {
  return { ...record, code: isFailureCode(record.code) ? record.code : 'INTERNAL' };
}

function progressOf(state: ProvisionState, context: RecordedContext): ProvisionProgress {
  const waiting = state === 'backoff';
  const failure = waiting && context.waitingFor === 'retry' ? context.lastFailure : context.error;
  return {
    runId: context.runId,
    state,
    step: stepOf(state, context),
    steps: STEPS.length,
    attempt: context.retries + 1,
    maxAttempts: context.settings === null ? null : context.settings.maxRetries + 1,
    deviceName: context.granted?.deviceName ?? context.deviceName,
    retryInMs: waiting && context.retryAt !== null ? Math.max(0, context.retryAt - context.now) : null,
    failure: failure === null ? null : publicFailure(failure),
  };
}

function publicResult({ outcome, exitStatus, runId, deviceName, failure }: AgentResult): ProvisionResult {
  const common = { exitStatus, runId, deviceName };
  if (outcome !== 'failed') return { ...common, outcome, failure: null };
  const record = failure ?? toFailureRecord(new Error('a run failed without a failure'));
  return { ...common, outcome, failure: publicFailure(record) };
}
