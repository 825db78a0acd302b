import { afterEach, describe, expect, it, vi } from 'vitest';
import { atMost } from '../src/time/within.ts';

const LIMIT_MS = 1000;

afterEach(() => vi.useRealTimers());
const stopTimers = () => vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });

describe('atMost', () => {
  it('ends with the work, and leaves no timer', async () => {
    stopTimers();
    await atMost(LIMIT_MS, Promise.resolve());
    expect(vi.getTimerCount()).toBe(0);
  });

  it('fails with the work, and leaves no timer', async () => {
    stopTimers();
    await expect(atMost(LIMIT_MS, Promise.reject(new Error('full')))).rejects.toThrow('full');
    expect(vi.getTimerCount()).toBe(0);
  });

  it('ends at the limit, and not before', async () => {
    stopTimers();
    let over = false;
    const waiting = atMost(LIMIT_MS, new Promise(() => {})).then(() => {
      over = true;
    });
    await vi.advanceTimersByTimeAsync(LIMIT_MS - 1);
    expect(over).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    await waiting;
  });
});
