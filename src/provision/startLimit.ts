import { Failure } from '../failures/failure.ts';
import { LATE, within } from '../time/within.ts';
import type { AgentOptions } from './pass.ts';

/** Longest wait for one part of a start, such as reading its files. A slow card needs a few seconds under load. */
const START_LIMIT_MS = 60_000;
/** After the signal a part that has begun may still finish. */
const LAST_MOMENT_MS = 2000;

/** The signal came before the run, while the disk did not answer. */
export class StartInterrupted extends Error {}

/**
 * Waits for a part of a start before the chart runs, which has its own limits. A stuck disk may never answer. The work is
 * not cancelled, so it must do no harm when it continues later.
 * @throws Failure DISK_ERROR at the limit; StartInterrupted soon after the signal; the error of the work
 */
export async function inTime<T>({ signal, paths }: AgentOptions, work: Promise<T>): Promise<T> {
  const givingUp = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const giveUpSoon = (): void => {
    timer = setTimeout(() => givingUp.abort(new StartInterrupted()), LAST_MOMENT_MS);
  };
  if (signal.aborted) giveUpSoon();
  signal.addEventListener('abort', giveUpSoon, { once: true });
  try {
    const done = await within(START_LIMIT_MS, () => work, givingUp.signal);
    if (done !== LATE) return done;
    throw new Failure('DISK_ERROR', 'startTooSlow', { folder: paths.deviceFolder, seconds: START_LIMIT_MS / 1000 });
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', giveUpSoon);
  }
}
