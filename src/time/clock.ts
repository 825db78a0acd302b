/** Time without jumps. On boards without an RTC the wall clock jumps by years when NTP answers. */
export interface Clock {
  /** Milliseconds since the epoch: the wall clock at the start of the process, plus monotonic time since then. */
  now(): number;
  /** Milliseconds from a fixed point in this process, for durations. */
  monotonic(): number;
}

/** The clock of this process. Later changes of the wall clock (NTP) affect only the next process. */
export function systemClock(): Clock {
  const offset = Date.now() - performance.now();
  return {
    now: () => Math.round(offset + performance.now()),
    monotonic: () => performance.now(),
  };
}
