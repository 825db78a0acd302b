import { type Clock, systemClock } from '../../src/time/clock.ts';

export interface FastTime {
  readonly clock: Clock;
  readonly chartClock: {
    setTimeout(callback: () => void, ms: number): number;
    clearTimeout(id: unknown): void;
  };
  /** Lengths of the ended pauses, ms. */
  readonly pauses: readonly number[];
}

/** A time in which the chart's pauses end at once and the clock jumps ahead by their length. */
export function fastTime(): FastTime {
  const real = systemClock();
  const pending = new Map<number, NodeJS.Timeout>();
  const pauses: number[] = [];
  let ahead = 0;
  let lastId = 0;
  return {
    pauses,
    clock: { now: () => real.now() + ahead, monotonic: () => real.monotonic() + ahead },
    chartClock: {
      setTimeout(callback, ms) {
        lastId += 1;
        const id = lastId;
        const timer = setTimeout(() => {
          pending.delete(id);
          ahead += ms;
          pauses.push(ms);
          callback();
        }, 0);
        pending.set(id, timer);
        return id;
      },
      clearTimeout(id) {
        if (typeof id !== 'number') return;
        clearTimeout(pending.get(id));
        pending.delete(id);
      },
    },
  };
}
