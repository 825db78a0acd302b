import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { FAILURES } from '../../src/failures/catalogue.ts';
import { fileExists } from '../../src/files/fileExists.ts';
import { failureOf } from '../config/scratch.ts';
import { chartAt } from '../support/chartRun.ts';
import { failureRecord } from '../support/failureRecord.ts';
import { stickDisk } from '../support/stuckDisk.ts';
import { writerScene } from './writerScene.ts';

const context = { ...(await chartAt('request')).context(), error: null };
const LAZY_SAVE_MS = 200;
const LAST_SAVE_MS = 1000;

/** Real time passes, simulated timers stop: lets file operations finish. */
async function until(met: () => boolean): Promise<void> {
  const deadline = performance.now() + 5000;
  while (!met() && performance.now() < deadline) await nextTurn();
  expect(met()).toBe(true);
}

afterEach(() => vi.useRealTimers());
const stopTimers = () => vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });

describe('a snapshot', () => {
  it('shows people the progress of the run', async () => {
    const { writer, onDisk } = await writerScene();
    writer.record('request', { ...context, retries: 1 });
    await writer.durable();
    expect(await onDisk()).toEqual({
      format: 'thermal-provision-snapshot',
      version: 1,
      agentVersion: '1.2.3',
      runId: 'run-1',
      seq: 1,
      savedAt: '2026-11-23T10:00:00.000Z',
      startedAt: '2026-11-23T10:00:00.000Z',
      state: 'request',
      status: 'in-progress',
      attempt: 2,
      maxAttempts: 4,
      context: { ...context, retries: 1 },
      history: [
        { state: 'request', enteredAt: '2026-11-23T10:00:00.000Z', durationMs: null, attempt: 1, resumed: false },
      ],
      error: null,
    });
  });

  it('counts the tries before the settings are known, too', async () => {
    const { writer, onDisk } = await writerScene();
    writer.record('validate', { ...context, settings: null });
    await writer.durable();
    expect(await onDisk()).toMatchObject({ attempt: 1, maxAttempts: 1 });
  });

  it('has the failure that ended the run or that is being retried, but no old one', async () => {
    const { writer, onDisk } = await writerScene();
    const lastFailure = failureRecord('CONNECTION_LOST', 'gone');
    const error = failureRecord('DISK_FULL', 'full');
    const told = async (): Promise<string | undefined> => {
      await writer.durable();
      return (await onDisk()).error?.code;
    };
    writer.record('backoff', { ...context, lastFailure, waitingFor: 'retry' });
    expect(await told()).toBe('CONNECTION_LOST');
    writer.record('request', { ...context, lastFailure });
    expect(await told()).toBeUndefined();
    writer.record('failed', { ...context, lastFailure, error });
    expect(await told()).toBe('DISK_FULL');
    expect((await onDisk()).error).toEqual({ code: 'DISK_FULL', message: 'full', hint: FAILURES.DISK_FULL.hint });
  });

  it('can be read again with the longest texts that a run can produce', async () => {
    const { writer, onDisk } = await writerScene();
    const hint = `Remove ${'/d'.repeat(2000)}`;
    const error = { ...failureRecord('CREDENTIALS_REFUSED', 'm'.repeat(20_000)), hint };
    writer.record('failed', { ...context, previousDeviceId: 'd'.repeat(255), warnings: [hint], error });
    await writer.durable();
    expect((await onDisk()).context.error).toEqual(error);
  });
});

describe('durable', () => {
  it('resolves at once when nothing was recorded', async () => {
    const { writer, path } = await writerScene();
    await writer.durable();
    expect(await fileExists(path)).toBe(false);
  });

  it('waits for the recorded state, also while an older state is being written', async () => {
    const { writer, onDisk } = await writerScene();
    writer.record('validate', context);
    const first = writer.durable();
    writer.record('prepare', context);
    const second = writer.durable();
    await first;
    expect((await onDisk()).seq).toBeGreaterThanOrEqual(1);
    await second;
    expect(await onDisk()).toMatchObject({ seq: 2, state: 'prepare' });
  });

  it('writes only the latest of several queued states', async () => {
    const { writer, saved, onDisk } = await writerScene();
    for (let count = 0; count < 50; count += 1) {
      writer.record(count % 2 === 0 ? 'request' : 'backoff', context);
      void writer.durable();
    }
    await writer.durable();
    expect((await onDisk()).seq).toBe(50);
    expect(saved.map(({ seq }) => seq)).toEqual([1, 50]);
    expect((await onDisk()).history).toHaveLength(50);
  });

  it('fails when the write fails, for every caller', async () => {
    const { writer, path } = await writerScene({ broken: true });
    writer.record('request', context);
    const first = failureOf(() => writer.durable());
    writer.record('reconcile', context);
    const second = failureOf(() => writer.durable());
    expect([(await first).code, (await second).code]).toEqual(['DISK_ERROR', 'DISK_ERROR']);
    expect((await first).message).toContain(path);
  });

  it('fails after a failed write until a write succeeds', async () => {
    const { writer, repair, onDisk, saved } = await writerScene({ broken: true });
    writer.record('request', context);
    for (let time = 0; time < 3; time += 1) await failureOf(() => writer.durable());
    expect(saved).toEqual([]);
    await repair();
    await writer.durable();
    expect((await onDisk()).state).toBe('request');
  });
});

describe('a state that nothing waits for', () => {
  it('is saved a moment later', async () => {
    stopTimers();
    const { writer, saved } = await writerScene();
    writer.record('validate', context);
    vi.advanceTimersByTime(LAZY_SAVE_MS - 1);
    expect(vi.getTimerCount()).toBe(1);
    expect(saved).toEqual([]);
    vi.advanceTimersByTime(1);
    await until(() => saved.length === 1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is saved also when the storage is so slow that an older write is still running', async () => {
    stopTimers();
    const { writer, saved } = await writerScene();
    writer.record('request', context);
    const slow = writer.durable();
    writer.record('verifyCredentials', context);
    vi.advanceTimersByTime(LAZY_SAVE_MS);
    await slow;
    await until(() => saved.at(-1)?.state === 'verifyCredentials');
  });

  it('may fail to be saved: `durable` reports the failure', async () => {
    stopTimers();
    const { writer } = await writerScene({ broken: true });
    writer.record('validate', context);
    vi.advanceTimersByTime(LAZY_SAVE_MS);
    expect((await failureOf(() => writer.durable())).code).toBe('DISK_ERROR');
  });
});

describe('close', () => {
  it('stops recording', async () => {
    stopTimers();
    const { writer, saved } = await writerScene();
    writer.record('request', context);
    await writer.durable();
    await writer.close();
    writer.record('verifyCredentials', context);
    vi.advanceTimersByTime(LAZY_SAVE_MS);
    await writer.durable();
    expect(saved.map(({ state }) => state)).toEqual(['request']);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('waits for a running write, also one that fails', async () => {
    const whole = await writerScene();
    whole.writer.record('request', context);
    void whole.writer.durable();
    await whole.writer.close();
    expect((await whole.onDisk()).state).toBe('request');

    const broken = await writerScene({ broken: true });
    broken.writer.record('request', context);
    const failing = failureOf(() => broken.writer.durable());
    await broken.writer.close();
    expect((await failing).code).toBe('DISK_ERROR');
  });

  it('saves the latest state, so that `status` shows where the run was interrupted', async () => {
    stopTimers();
    const { writer, saved, onDisk } = await writerScene();
    writer.record('request', context);
    void writer.durable();
    writer.record('verifyCredentials', context);
    await writer.close();
    expect(vi.getTimerCount()).toBe(0);
    expect((await onDisk()).state).toBe('verifyCredentials');
    await writer.close();
    expect(saved).toHaveLength(2);
  });

  it("does not fail when the latest state can't be saved", async () => {
    const { writer, path } = await writerScene({ broken: true });
    writer.record('validate', context);
    await writer.close();
    expect(await fileExists(path)).toBe(false);
  });

  it('waits one second for a stuck disk, and starts no further write afterwards', async () => {
    const { writer, saved, path } = await writerScene();
    const release = await stickDisk(onTestFinished);
    writer.record('request', context);
    const underWay = writer.durable();
    writer.record('verifyCredentials', context);
    const started = performance.now();
    await writer.close();
    expect(performance.now() - started).toBeGreaterThan(LAST_SAVE_MS - 50);
    expect(performance.now() - started).toBeLessThan(2 * LAST_SAVE_MS);
    let idle = false;
    const becomesIdle = writer.idle().then(() => {
      idle = true;
    });
    await nextTurn();
    expect(idle).toBe(false);

    await release();
    await underWay;
    await becomesIdle;
    const failure = await failureOf(() => writer.durable());
    expect(failure.code).toBe('DISK_ERROR');
    expect(failure.message).toContain(path);
    expect(saved.map(({ state }) => state)).toEqual(['request']);
  });
});
