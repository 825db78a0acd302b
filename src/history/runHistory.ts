/** The states that a run was in, one after the other: snapshot, recording and live view all count them here. */

/** A state that was entered. */
export interface Entry {
  readonly state: string;
  /** ISO 8601, UTC. */
  readonly enteredAt: string;
  /** Whether the state was entered again after an interruption. */
  readonly resumed: boolean;
}

export interface Counted {
  /** Milliseconds; null: the state lasts, or the run was cut in it. */
  readonly durationMs: number | null;
  /** Which time in this state, from 1. */
  readonly attempt: number;
}

/**
 * Adds the state that a run has entered to its history.
 * @param lastedMs how long the state before lasted; null: unknown, since the run was cut in it
 * @param limit the newest so many entries stay
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

/** Time at work, ms: interruptions do not count, nor do the states that they cut. */
export const workedMs = (history: readonly Pick<Counted, 'durationMs'>[]): number =>
  history.reduce((sum, { durationMs }) => sum + (durationMs ?? 0), 0);
