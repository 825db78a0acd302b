/** The history of states of a run. Snapshot, recording and live view all count states and durations here. */

/** A state that was entered. */
export interface Entry {
  readonly state: string;
  /** ISO 8601, UTC. */
  readonly enteredAt: string;
  /** Whether the state was entered again after an interruption. */
  readonly resumed: boolean;
}

export interface Counted {
  /** Milliseconds; null: the run is still in this state, or was interrupted in it. */
  readonly durationMs: number | null;
  /** Which time in this state, from 1. */
  readonly attempt: number;
}

/**
 * Adds the state that a run has entered to its history.
 * @param lastedMs how long the state before lasted; null: unknown, the run was interrupted in it
 * @param limit number of newest entries to keep
 */
export function withEntry<E extends Entry>(
  history: readonly (E & Counted)[],
  entry: E,
  lastedMs: number | null,
  limit = Number.POSITIVE_INFINITY,
): (E & Counted)[] {
  const last = history.at(-1);
  const earlier = last === undefined ? [] : [...history.slice(0, -1), { ...last, durationMs: lastedMs }];
  const attempt = 1 + (history.findLast(({ state }) => state === entry.state)?.attempt ?? 0);
  return [...earlier, { ...entry, durationMs: null, attempt }].slice(-limit);
}

/** Time between two moments by the wall clock, ms. At least 0: the clock may have been set back. */
export const elapsedMs = (from: string, to: string): number => Math.max(0, Date.parse(to) - Date.parse(from));

/** Working time, ms. Interruptions and interrupted states do not count. */
export const workedMs = (history: readonly Pick<Counted, 'durationMs'>[]): number =>
  history.reduce((sum, { durationMs }) => sum + (durationMs ?? 0), 0);
