import type { Failure } from '../failures/failure.ts';
import { LATE, within } from '../time/within.ts';

/**
 * The end of a session, for any number of listeners. A race against one long-lived promise would keep a callback for
 * each publication until the session ends. These listeners can be removed.
 */
export interface SessionEnding {
  /** Undefined while the session is open. */
  readonly failure: () => Failure | undefined;
  /** Only the first call counts. */
  readonly end: (failure: Failure) => void;
  /** Calls the listener once, immediately if the session has ended. @returns a function that removes the listener */
  readonly listen: (listener: (failure: Failure) => void) => () => void;
}

export function createSessionEnding(): SessionEnding {
  const listeners = new Set<(failure: Failure) => void>();
  let ended: Failure | undefined;
  return {
    failure: () => ended,
    end(failure) {
      if (ended !== undefined) return;
      ended = failure;
      for (const listener of listeners) listener(failure);
      listeners.clear();
    },
    listen(listener) {
      if (ended === undefined) listeners.add(listener);
      else listener(ended);
      return () => listeners.delete(listener);
    },
  };
}

interface Bounds {
  readonly ending: SessionEnding;
  readonly signal: AbortSignal;
  /** Milliseconds. */
  readonly limitMs: number;
  /** The failure when the limit is reached. */
  readonly onLimit: () => Failure;
}

/**
 * Waits for a callback of MQTT.js, which may never be called after a close. The first of callback, end of the session,
 * abort and time limit ends the waiting. No listener remains.
 * @param start begins the work and receives the callback
 */
export async function settleWithin(bounds: Bounds, start: (done: (error?: unknown) => void) => void): Promise<void> {
  const { ending, signal, limitMs, onLimit } = bounds;
  let unlisten = (): unknown => undefined;
  const settle = (): Promise<void> =>
    new Promise((resolve, reject) => {
      unlisten = ending.listen(reject);
      if (ending.failure() === undefined) start((error) => (error ? reject(error) : resolve()));
    });
  try {
    if ((await within(limitMs, settle, signal)) === LATE) throw onLimit();
  } finally {
    unlisten();
  }
}
