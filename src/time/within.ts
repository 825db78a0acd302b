/** What `within` gives when the time is up before the work is done. */
export const LATE = Symbol('late');

/**
 * Waits for work, but not longer than the limit. Work that takes longer is not cancelled: nobody waits for it any more,
 * and its failure is ignored. Work that can end early gets a signal, which is aborted when the wait ends without it.
 * No timer is left. (AbortSignal.timeout would let the process end while it waits, and can't be taken back.)
 * @param ms the longest wait, in milliseconds
 * @param work a promise, or what begins the work; the latter is not begun when `signal` is aborted already
 * @param signal ends the wait early
 * @returns what the work gives, or LATE
 * @throws what the work throws in time; the reason of `signal`
 */
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
