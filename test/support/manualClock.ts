import type { Clock } from '../../src/time/clock.ts';

/** A clock that stands still until the test moves it. */
export interface ManualClock extends Clock {
  /** Advances both clocks, ms. */
  advance(ms: number): void;
  /** Changes the wall clock alone, ms. */
  jump(ms: number): void;
}

/** @param now wall clock at the start, ms since the epoch */
export function manualClock(now: number): ManualClock {
  let wall = now;
  let monotonic = 0;
  return {
    now: () => wall,
    monotonic: () => monotonic,
    advance(ms) {
      wall += ms;
      monotonic += ms;
    },
    jump(ms) {
      wall += ms;
    },
  };
}
