/** Time as the agent needs it. Boards without an RTC jump by years when NTP answers: both readings are jump-free. */
export interface Clock {
  /** Milliseconds since the epoch: the wall clock read once at the start of the process, carried on monotonically. */
  now(): number;
  /** Milliseconds from a fixed point in this process, for durations. */
  monotonic(): number;
}

/** The clock of this process. What the wall clock says later (NTP) is seen by the next process, not by this run. */
export function systemClock(): Clock {
  const offset = Date.now() - performance.now();
  return {
    now: () => Math.round(offset + performance.now()),
    monotonic: () => performance.now(),
  };
}
