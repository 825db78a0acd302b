import { setTimeout as delay } from 'node:timers/promises';

/** Waits; an abort ends it at once by rejecting with the signal's reason. @param ms milliseconds */
export async function abortableDelay(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch((error: unknown) => {
    signal.throwIfAborted();
    throw error;
  });
}

/**
 * The result of some work, or undefined when it takes longer than the limit; the work is told to end by its signal
 * but not waited for. Its failures pass through.
 * @param limitMs milliseconds
 */
export async function withinLimit<T>(
  limitMs: number,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T | undefined> {
  const ending = new AbortController();
  const end = (): void => ending.abort();
  signal.throwIfAborted();
  signal.addEventListener('abort', end, { once: true });
  const timer = setTimeout(end, limitMs);
  try {
    const cut = new Promise<undefined>((resolve) => {
      ending.signal.addEventListener('abort', () => resolve(undefined), { once: true });
    });
    const result = await Promise.race([work(ending.signal), cut]);
    signal.throwIfAborted();
    return result;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', end);
  }
}
