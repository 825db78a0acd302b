/** History of the states of a run, for snapshot, recording and live view. */

/** A state that was entered. */
export interface Entry {
  readonly state: string;
  /** ISO 8601, UTC. */
  readonly enteredAt: string;
  /** Whether the state was entered again after an interruption. */
  readonly resumed: boolean;
}

export interface Counted {
  /** Milliseconds. null: the state has not ended, or the run was killed in it. */
  readonly durationMs: number | null;
  /** How often the run has entered this state, from 1. */
  readonly attempt: number;
}

/**
 * Adds the state that a run has entered to its history.
 * @param lastedMs duration of the state before; null: unknown, because the run was killed in it
 * @param limit number of entries that are kept, the newest ones
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

/** Wall-clock time between two moments in ms. At least 0, even if the clock was set back. */
export const elapsedMs = (from: string, to: string): number => Math.max(0, Date.parse(to) - Date.parse(from));

/** Working time in ms, without interruptions and the states that were interrupted. */
export const workedMs = (history: readonly Pick<Counted, 'durationMs'>[]): number =>
  history.reduce((sum, { durationMs }) => sum + (durationMs ?? 0), 0);
