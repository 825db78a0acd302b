/** Result of `within` when the limit passes before the work is done. */
export const LATE = Symbol('late');

/**
 * Waits for work with a time limit. At the limit it stops waiting: the work is not cancelled, and a later failure is
 * ignored. A function gets a signal that is aborted when the wait ends, so that its work can end early. No timer is left.
 * (AbortSignal.timeout does not keep the process alive while it waits, and can't be cancelled.)
 * @param ms the longest wait, in milliseconds
 * @param work a promise, or a function that starts the work; it is not called when `signal` is already aborted
 * @param signal ends the wait early
 * @returns the result of the work, or LATE
 * @throws the error of the work, if it fails in time; the reason of `signal`
 */
export async function within<T>(ms: number, work: Promise<T>): Promise<T | typeof LATE>;
export async function within<T>(
  ms: number,
  work: (ending: AbortSignal) => Promise<T>,
  signal?: AbortSignal,
): Promise<T | typeof LATE>;
export async function within<T>(
  ms: number,
  work: Promise<T> | ((ending: AbortSignal) => Promise<T>),
  signal?: AbortSignal,
): Promise<T | typeof LATE> {
  signal?.throwIfAborted();
  const ending = new AbortController();
  const end = (): void => ending.abort();
  const late = new Promise<typeof LATE>((resolve) => {
    ending.signal.addEventListener('abort', () => resolve(LATE), { once: true });
  });
  const timer = setTimeout(end, ms);
  signal?.addEventListener('abort', end, { once: true });
  try {
    const result = await Promise.race([typeof work === 'function' ? work(ending.signal) : work, late]);
    signal?.throwIfAborted();
    return result;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', end);
  }
}
