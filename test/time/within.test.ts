import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { transform } from 'esbuild';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LATE, within } from '../../src/time/within.ts';

const LIMIT_MS = 1000;
const never = new Promise<never>(() => {});
const failsWith = (message: string): Promise<never> => Promise.reject(new Error(message));

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => vi.useRealTimers());

describe('within', () => {
  it('returns the result of the work, and leaves no timer', async () => {
    expect(await within(LIMIT_MS, Promise.resolve('done'))).toBe('done');
    expect(vi.getTimerCount()).toBe(0);
  });

  it('fails when the work fails, and leaves no timer', async () => {
    await expect(within(LIMIT_MS, failsWith('full'))).rejects.toThrow('full');
    expect(vi.getTimerCount()).toBe(0);
  });

  it('returns LATE at the limit, and not before', async () => {
    let end: unknown;
    const waiting = within(LIMIT_MS, never).then((result) => {
      end = result;
    });
    await vi.advanceTimersByTimeAsync(LIMIT_MS - 1);
    expect(end).toBeUndefined();
    await vi.advanceTimersByTimeAsync(1);
    await waiting;
    expect(end).toBe(LATE);
  });

  it('ignores a failure after the limit', async () => {
    const unhandled = vi.fn();
    process.on('unhandledRejection', unhandled);
    let fail = (_error: Error): void => {};
    const work = new Promise<never>((_, reject) => {
      fail = reject;
    });
    const waiting = within(LIMIT_MS, work);
    await vi.advanceTimersByTimeAsync(LIMIT_MS);
    expect(await waiting).toBe(LATE);
    fail(new Error('too late'));
    await new Promise((resolve) => setImmediate(resolve));
    process.off('unhandledRejection', unhandled);
    expect(unhandled).not.toHaveBeenCalled();
  });

  it('aborts the signal of the work, at the limit only', async () => {
    let ending: AbortSignal | undefined;
    const waiting = within(LIMIT_MS, (given) => {
      ending = given;
      return never;
    });
    await vi.advanceTimersByTimeAsync(LIMIT_MS - 1);
    expect(ending?.aborted).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(ending?.aborted).toBe(true);
    expect(await waiting).toBe(LATE);
  });

  it('does not abort the signal of finished work', async () => {
    const signals: AbortSignal[] = [];
    await within(LIMIT_MS, async (ending) => signals.push(ending));
    await vi.advanceTimersByTimeAsync(2 * LIMIT_MS);
    expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
  });

  it('fails with the reason of the signal, aborts the work, and leaves neither timer nor listener', async () => {
    const controller = new AbortController();
    const removed = vi.spyOn(controller.signal, 'removeEventListener');
    let ending: AbortSignal | undefined;
    const waiting = within(
      LIMIT_MS,
      (given) => {
        ending = given;
        return never;
      },
      controller.signal,
    );
    controller.abort(new Error('stopped'));
    await expect(waiting).rejects.toThrow('stopped');
    expect(ending?.aborted).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
    expect(removed).toHaveBeenCalledOnce();
  });

  it('does not start the work when the signal is already aborted', async () => {
    const work = vi.fn(() => Promise.resolve());
    await expect(within(LIMIT_MS, work, AbortSignal.abort(new Error('stopped')))).rejects.toThrow('stopped');
    expect(work).not.toHaveBeenCalled();
  });

  it('keeps the process alive while it waits, and not longer', async () => {
    vi.useRealTimers();
    const source = await readFile(new URL('../../src/time/within.ts', import.meta.url), 'utf8');
    const { code } = await transform(source, { loader: 'ts' });
    const script = `${code}
      await within(60_000, Promise.resolve());
      console.log((await within(50, new Promise(() => {}))) === LATE);
    `;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
      timeout: 20_000,
    });
    expect(stdout).toBe('true\n');
  });
});
