import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../src/time/clock.ts';

afterEach(() => vi.useRealTimers());

describe('the clock of this process', () => {
  it('returns the time of day, in whole milliseconds', () => {
    const now = systemClock().now();
    expect(Number.isInteger(now)).toBe(true);
    expect(Math.abs(now - Date.now())).toBeLessThan(1000);
  });

  it('advances by the real time', async () => {
    const clock = systemClock();
    const [now, monotonic] = [clock.now(), clock.monotonic()];
    await delay(20);
    expect(clock.now() - now).toBeGreaterThanOrEqual(18);
    expect(clock.now() - now).toBeCloseTo(clock.monotonic() - monotonic, -1);
  });

  it('ignores a jump of the wall clock, as on a board without an RTC when NTP answers', () => {
    const clock = systemClock();
    const before = clock.now();
    vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2060, 0, 1) });
    expect(clock.now() - before).toBeLessThan(1000);
    expect(systemClock().now()).toBeGreaterThanOrEqual(Date.UTC(2060, 0, 1));
  });
});
