import { type ProvisionState, STATES } from '../../machines/provision.states.ts';
import { Failure } from '../failures/failure.ts';
import { writeOwnFile } from '../files/ownFiles.ts';
import { withEntry } from '../history/runHistory.ts';
import {
  type HistoryEntry,
  MAX_HISTORY,
  type RecordedContext,
  SNAPSHOT_FORMAT,
  SNAPSHOT_VERSION,
  type SnapshotDocument,
} from '../state/snapshotDocument.ts';
import type { Clock } from '../time/clock.ts';
import { within } from '../time/within.ts';

/** Writes snapshot.json during a run. src/state/ reads it (snapshotFile.ts) and defines its shape (snapshotDocument.ts). */

/** Longest time that a state may stay unsaved if no effect waits for it. `status` lags by this time. */
const LAZY_SAVE_MS = 200;
/** Longest wait for the last save at the end of a run: a stuck disk must not block the agent. */
const LAST_SAVE_MS = 1000;

/**
 * Keeps the run's state on disk. `record` only queues a state; `durable` is the barrier where effects wait. Of several
 * queued states only the latest is written.
 */
export interface SnapshotWriter {
  /** Queues the state that the chart has entered. */
  record(state: ProvisionState, context: RecordedContext, resumed?: boolean): void;
  /** Resolves once every recorded state is on disk. @throws Failure of durableReplace: the effect must not start */
  durable(): Promise<void>;
  /**
   * Saves the latest state, so that `status` shows where the run was interrupted. Ignores later records. Ends within a
   * second. A state that is not on disk by then stays unsaved, as after a kill, and no further write starts.
   */
  close(): Promise<void>;
  /** Resolves when no write is running. Waits without a limit. */
  idle(): Promise<void>;
}

interface SnapshotWriterOptions {
  readonly path: string;
  readonly clock: Clock;
  readonly agentVersion: string;
  /** The snapshot on disk. Its sequence number is continued, and its history if it is from the same run. */
  readonly previous: SnapshotDocument | undefined;
  /** Called with each snapshot once it is durable. */
  readonly onDurable?: (snapshot: SnapshotDocument) => void;
}

export function openSnapshotWriter(options: SnapshotWriterOptions): SnapshotWriter {
  const { clock, previous } = options;
  const iso = (ms: number): string => new Date(ms).toISOString();
  let history: HistoryEntry[] = [];
  let historyOf: string | undefined;
  let enteredAt: number | undefined;
  let wanted = previous?.seq ?? 0;
  let written = wanted;
  let latest: SnapshotDocument | undefined;
  let writing: Promise<void> | undefined;
  let lazy: NodeJS.Timeout | undefined;
  let closing: Promise<void> | undefined;
  let isClosed = false;

  const enter = (state: ProvisionState, resumed: boolean): void => {
    // The previous process did not see its last state end, so the first state here gives it no duration.
    const lastedMs = enteredAt === undefined ? null : Math.round(clock.monotonic() - enteredAt);
    history = withEntry(history, { state, enteredAt: iso(clock.now()), resumed }, lastedMs, MAX_HISTORY);
    enteredAt = clock.monotonic();
  };

  const write = async (document: SnapshotDocument): Promise<void> => {
    await writeOwnFile(options.path, Buffer.from(`${JSON.stringify(document, null, 2)}\n`));
    written = document.seq;
    options.onDurable?.(document);
  };

  /** Runs one write at a time: if one is running, waits for that one instead. */
  const flush = async (document: SnapshotDocument): Promise<void> => {
    clearTimeout(lazy);
    lazy = undefined;
    // Another agent may hold the lock by now.
    if (isClosed) throw new Failure('DISK_ERROR', 'tooSlow', { path: options.path });
    writing ??= write(document).finally(() => {
      writing = undefined;
    });
    return writing;
  };

  const durable = async (): Promise<void> => {
    const target = wanted;
    // Sequence numbers, not the promise of a write: a running write may hold an older state, or fail.
    while (written < target && latest !== undefined) await flush(latest);
  };

  const saveLast = async (): Promise<void> => {
    clearTimeout(lazy);
    // The effects that need the state on disk call `durable` themselves and get this failure.
    const saved = durable().catch(() => {});
    await within(LAST_SAVE_MS, saved);
    isClosed = true;
  };

  return {
    record(state, context, resumed = false) {
      if (closing !== undefined) return;
      if (historyOf !== context.runId) {
        history = previous?.runId === context.runId ? previous.history : [];
        historyOf = context.runId;
      }
      enter(state, resumed);
      wanted += 1;
      latest = {
        format: SNAPSHOT_FORMAT,
        version: SNAPSHOT_VERSION,
        agentVersion: options.agentVersion,
        runId: context.runId,
        seq: wanted,
        savedAt: iso(clock.now()),
        startedAt: iso(context.startedAt),
        state,
        status: STATES[state].status,
        attempt: context.retries + 1,
        maxAttempts: (context.settings?.maxRetries ?? context.retries) + 1,
        context,
        history,
        error: errorOf(context),
      };
      lazy ??= setTimeout(() => {
        // The effects that need the state on disk call `durable` themselves and get this failure.
        durable().catch(() => {});
      }, LAZY_SAVE_MS);
    },
    durable,
    close() {
      closing ??= saveLast();
      return closing;
    },
    async idle() {
      await writing?.catch(() => {});
    },
  };
}

/** The failure that ended the run, or the failure that is being retried. */
function errorOf(context: RecordedContext): SnapshotDocument['error'] {
  const failure = context.error ?? (context.waitingFor === null ? null : context.lastFailure);
  return failure === null ? null : { code: failure.code, message: failure.message, hint: failure.hint };
}
