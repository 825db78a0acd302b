import type { Log } from '../log/log.ts';
import type { Clock } from '../time/clock.ts';

const PAUSE_MS = 60_000;

type RepeatedWarning =
  | 'rpc.refused'
  | 'rpc.unanswered'
  | 'source.bad-line'
  | 'telemetry.no-value'
  | 'telemetry.reading-failed';

/**
 * A warning that may occur thousands of times an hour. It is logged at most once a minute, with the number of warnings
 * left out since the last one.
 */
export function createRateLimitedWarning(log: Log, clock: Clock, event: RepeatedWarning): (message: string) => void {
  let last: number | undefined;
  let leftOut = 0;
  return (message) => {
    const now = clock.monotonic();
    if (last !== undefined && now - last < PAUSE_MS) {
      leftOut += 1;
      return;
    }
    log.warn(event, message, leftOut === 0 ? {} : { leftOut });
    last = now;
    leftOut = 0;
  };
}
