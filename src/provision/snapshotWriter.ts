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

/** Writes snapshot.json during a run. src/state/snapshotFile.ts reads it, snapshotDocument.ts there has its shape. */

/** How long a state may stand unsaved when nothing demands it: what an operator's `status` may lag behind. */
const LAZY_SAVE_MS = 200;
/** What the end of a run waits for the last state to be saved: a stuck disk must not hold the agent. */
const LAST_SAVE_MS = 1000;

/**
 * Keeps the run's state on disk. `record` only queues, `durable` is the barrier that effects wait at. States in
 * between are merged: the latest wins.
 */
export interface SnapshotWriter {
  /** Queues the state that the chart has entered. */
  record(state: ProvisionState, context: RecordedContext, resumed?: boolean): void;
  /** Resolves once all that was recorded is on disk. @throws Failure of durableReplace: then nothing may pass. */
  durable(): Promise<void>;
  /**
   * Takes no more records, and saves the latest one, so that `status` tells where the run was cut. Ends within a second;
   * what is not on disk then stays unsaved, which is as harmless as a kill, and no further write begins.
   */
  close(): Promise<void>;
  /** Resolves when no write is under way any more, however long a stuck disk takes. */
  idle(): Promise<void>;
}

interface SnapshotWriterOptions {
  readonly path: string;
  readonly clock: Clock;
  readonly agentVersion: string;
  /** The snapshot that is resumed, or that an earlier run left: its sequence goes on, its history if it is this run's. */
  readonly previous: SnapshotDocument | undefined;
  /** Told about each snapshot once it is durable. */
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
  let over = false;

  const enter = (state: ProvisionState, resumed: boolean): void => {
    // The first state of this process has cut the one before it, if any.
    const lastedMs = enteredAt === undefined ? null : Math.round(clock.monotonic() - enteredAt);
    history = withEntry(history, { state, enteredAt: iso(clock.now()), resumed }, lastedMs, MAX_HISTORY);
    enteredAt = clock.monotonic();
  };

  const write = async (document: SnapshotDocument): Promise<void> => {
    await writeOwnFile(options.path, Buffer.from(`${JSON.stringify(document, null, 2)}\n`));
    written = document.seq;
    options.onDurable?.(document);
  };

  /** One write at a time: with one under way, it is that one which is waited for. */
  const flush = async (document: SnapshotDocument): Promise<void> => {
    clearTimeout(lazy);
    lazy = undefined;
    // The lock may be somebody else's by now.
    if (over) throw new Failure('DISK_ERROR', 'tooSlow', { path: options.path });
    writing ??= write(document).finally(() => {
      writing = undefined;
    });
    return writing;
  };

  const durable = async (): Promise<void> => {
    const target = wanted;
    // Counters, not the promise of one write: a write that began before the record doesn't count, and neither does
    // a failed one.
    while (written < target && latest !== undefined) await flush(latest);
  };

  const saveLast = async (): Promise<void> => {
    clearTimeout(lazy);
    // Whoever needs the state on disk has asked for it, and heard of the failure there.
    const saved = durable().catch(() => {});
    await within(LAST_SAVE_MS, saved);
    over = true;
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
        // Whoever needs the state on disk asks for it and hears of the failure there.
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

/** What went wrong last: the reason of a failed run, else the trouble that is being retried. */
function errorOf(context: RecordedContext): SnapshotDocument['error'] {
  const failure = context.error ?? (context.waitingFor === null ? null : context.lastFailure);
  return failure === null ? null : { code: failure.code, message: failure.message, hint: failure.hint };
}
