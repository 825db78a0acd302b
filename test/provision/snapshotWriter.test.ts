import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { FAILURES } from '../../src/failures/catalogue.ts';
import { fileExists } from '../../src/files/fileExists.ts';
import { openJournal } from '../../src/provision/snapshotWriter.ts';
import { type SnapshotDocument, snapshotSchema } from '../../src/state/snapshotDocument.ts';
import { failureOf } from '../config/scratch.ts';
import { chartAt, START } from '../support/chartRun.ts';
import { makeFolder } from '../support/deviceFolder.ts';
import { failureRecord } from '../support/failureRecord.ts';
import { manualClock } from '../support/manualClock.ts';
import { stickDisk } from '../support/stuckDisk.ts';

const context = { ...(await chartAt('request')).context(), error: null };
const LAZY_SAVE_MS = 200;
const LAST_SAVE_MS = 1000;

interface JournalScene {
  readonly previous?: SnapshotDocument;
  /** The folder that is to hold the snapshot is missing: every write fails. */
  readonly broken?: boolean;
}

async function journalScene({ previous, broken = false }: JournalScene = {}) {
  const path = join(await makeFolder(onTestFinished), 'state', 'snapshot.json');
  const repair = async (): Promise<void> => {
    await mkdir(dirname(path));
  };
  if (!broken) await repair();
  const clock = manualClock(START);
  const saved: SnapshotDocument[] = [];
  const journal = openJournal({
    path,
    clock,
    agentVersion: '1.2.3',
    previous,
    onDurable: (snapshot) => saved.push(snapshot),
  });
  const onDisk = async (): Promise<SnapshotDocument> => snapshotSchema.parse(JSON.parse(await readFile(path, 'utf8')));
  return { journal, clock, path, repair, saved, onDisk };
}

/** Real time goes on, simulated timers don't: lets file operations finish. */
async function until(met: () => boolean): Promise<void> {
  const deadline = performance.now() + 5000;
  while (!met() && performance.now() < deadline) await nextTurn();
  expect(met()).toBe(true);
}

afterEach(() => vi.useRealTimers());
const stopTimers = () => vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });

describe('a snapshot', () => {
  it('says to a person where the run stands', async () => {
    const { journal, onDisk } = await journalScene();
    journal.record('request', { ...context, retries: 1 });
    await journal.durable();
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

  it('counts the tries also before the settings are known', async () => {
    const { journal, onDisk } = await journalScene();
    journal.record('validate', { ...context, settings: null });
    await journal.durable();
    expect(await onDisk()).toMatchObject({ attempt: 1, maxAttempts: 1 });
  });

  it('tells the failure that ended the run, or the one that is being retried, and no old one', async () => {
    const { journal, onDisk } = await journalScene();
    const lastFailure = failureRecord('CONNECTION_LOST', 'gone');
    const error = failureRecord('DISK_FULL', 'full');
    const told = async (): Promise<string | undefined> => {
      await journal.durable();
      return (await onDisk()).error?.code;
    };
    journal.record('backoff', { ...context, lastFailure, waitingFor: 'retry' });
    expect(await told()).toBe('CONNECTION_LOST');
    journal.record('request', { ...context, lastFailure });
    expect(await told()).toBeUndefined();
    journal.record('failed', { ...context, lastFailure, error });
    expect(await told()).toBe('DISK_FULL');
    expect((await onDisk()).error).toEqual({ code: 'DISK_FULL', message: 'full', hint: FAILURES.DISK_FULL.hint });
  });

  it('with the longest texts that a run can bring can be read again', async () => {
    const { journal, onDisk } = await journalScene();
    const hint = `Remove ${'/d'.repeat(2000)}`;
    const error = { ...failureRecord('CREDENTIALS_REFUSED', 'm'.repeat(20_000)), hint };
    journal.record('failed', { ...context, previousDeviceId: 'd'.repeat(255), warnings: [hint], error });
    await journal.durable();
    expect((await onDisk()).context.error).toEqual(error);
  });
});

describe('durable', () => {
  it('resolves at once when nothing was recorded', async () => {
    const { journal, path } = await journalScene();
    await journal.durable();
    expect(await fileExists(path)).toBe(false);
  });

  it('waits for what was recorded, also while an older state is being written', async () => {
    const { journal, onDisk } = await journalScene();
    journal.record('validate', context);
    const first = journal.durable();
    journal.record('prepare', context);
    const second = journal.durable();
    await first;
    expect((await onDisk()).seq).toBeGreaterThanOrEqual(1);
    await second;
    expect(await onDisk()).toMatchObject({ seq: 2, state: 'prepare' });
  });

  it('merges the states in between: the latest wins', async () => {
    const { journal, saved, onDisk } = await journalScene();
    for (let count = 0; count < 50; count += 1) {
      journal.record(count % 2 === 0 ? 'request' : 'backoff', context);
      void journal.durable();
    }
    await journal.durable();
    expect((await onDisk()).seq).toBe(50);
    expect(saved.map(({ seq }) => seq)).toEqual([1, 50]);
    expect((await onDisk()).history).toHaveLength(50);
  });

  it('fails when the write fails, for everybody who waits', async () => {
    const { journal, path } = await journalScene({ broken: true });
    journal.record('request', context);
    const first = failureOf(() => journal.durable());
    journal.record('reconcile', context);
    const second = failureOf(() => journal.durable());
    expect([(await first).code, (await second).code]).toEqual(['DISK_ERROR', 'DISK_ERROR']);
    expect((await first).message).toContain(path);
  });

  it('lets nothing pass after a failed write until a write succeeds', async () => {
    const { journal, repair, onDisk, saved } = await journalScene({ broken: true });
    journal.record('request', context);
    for (let time = 0; time < 3; time += 1) await failureOf(() => journal.durable());
    expect(saved).toEqual([]);
    await repair();
    await journal.durable();
    expect((await onDisk()).state).toBe('request');
  });
});

describe('a state that nothing waits for', () => {
  it('is saved a moment later', async () => {
    stopTimers();
    const { journal, saved } = await journalScene();
    journal.record('validate', context);
    vi.advanceTimersByTime(LAZY_SAVE_MS - 1);
    expect(vi.getTimerCount()).toBe(1);
    expect(saved).toEqual([]);
    vi.advanceTimersByTime(1);
    await until(() => saved.length === 1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is saved also when the storage is so slow that an older write is still under way', async () => {
    stopTimers();
    const { journal, saved } = await journalScene();
    journal.record('request', context);
    const slow = journal.durable();
    journal.record('verifyCredentials', context);
    vi.advanceTimersByTime(LAZY_SAVE_MS);
    await slow;
    await until(() => saved.at(-1)?.state === 'verifyCredentials');
  });

  it('may fail to be saved: whoever needs it hears of that', async () => {
    stopTimers();
    const { journal } = await journalScene({ broken: true });
    journal.record('validate', context);
    vi.advanceTimersByTime(LAZY_SAVE_MS);
    expect((await failureOf(() => journal.durable())).code).toBe('DISK_ERROR');
  });
});

describe('close', () => {
  it('stops recording', async () => {
    stopTimers();
    const { journal, saved } = await journalScene();
    journal.record('request', context);
    await journal.durable();
    await journal.close();
    journal.record('verifyCredentials', context);
    vi.advanceTimersByTime(LAZY_SAVE_MS);
    await journal.durable();
    expect(saved.map(({ state }) => state)).toEqual(['request']);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('waits for a write under way, also one that fails', async () => {
    const whole = await journalScene();
    whole.journal.record('request', context);
    void whole.journal.durable();
    await whole.journal.close();
    expect((await whole.onDisk()).state).toBe('request');

    const broken = await journalScene({ broken: true });
    broken.journal.record('request', context);
    const failing = failureOf(() => broken.journal.durable());
    await broken.journal.close();
    expect((await failing).code).toBe('DISK_ERROR');
  });

  it('saves the latest state, which nobody waited for, so that it is told where the run was cut', async () => {
    stopTimers();
    const { journal, saved, onDisk } = await journalScene();
    journal.record('request', context);
    void journal.durable();
    journal.record('verifyCredentials', context);
    await journal.close();
    expect(vi.getTimerCount()).toBe(0);
    expect((await onDisk()).state).toBe('verifyCredentials');
    await journal.close();
    expect(saved).toHaveLength(2);
  });

  it('does not fail when the latest state can’t be saved', async () => {
    const { journal, path } = await journalScene({ broken: true });
    journal.record('validate', context);
    await journal.close();
    expect(await fileExists(path)).toBe(false);
  });

  it('is held by a stuck disk for a second, and begins no further write when it comes back', async () => {
    const { journal, saved, path } = await journalScene();
    const release = await stickDisk(onTestFinished);
    journal.record('request', context);
    const underWay = journal.durable();
    journal.record('verifyCredentials', context);
    const started = performance.now();
    await journal.close();
    expect(performance.now() - started).toBeGreaterThan(LAST_SAVE_MS - 50);
    expect(performance.now() - started).toBeLessThan(2 * LAST_SAVE_MS);
    let idle = false;
    const becomesIdle = journal.idle().then(() => {
      idle = true;
    });
    await nextTurn();
    expect(idle).toBe(false);

    await release();
    await underWay;
    await becomesIdle;
    const failure = await failureOf(() => journal.durable());
    expect(failure.code).toBe('DISK_ERROR');
    expect(failure.message).toContain(path);
    expect(saved.map(({ state }) => state)).toEqual(['request']);
  });
});

describe('the history', () => {
  it('measures how long a state lasted, whatever the wall clock does', async () => {
    const { journal, clock, onDisk } = await journalScene();
    journal.record('validate', context);
    clock.advance(1234.4);
    clock.jump(-1e9);
    journal.record('prepare', context);
    clock.advance(10);
    journal.record('request', context);
    await journal.durable();
    expect((await onDisk()).history.map(({ state, durationMs }) => [state, durationMs])).toEqual([
      ['validate', 1234],
      ['prepare', 10],
      ['request', null],
    ]);
  });

  it('numbers the tries of each state', async () => {
    const { journal, onDisk } = await journalScene();
    for (const state of ['request', 'backoff', 'request', 'backoff', 'request'] as const)
      journal.record(state, context);
    await journal.durable();
    expect((await onDisk()).history.map(({ attempt }) => attempt)).toEqual([1, 1, 2, 2, 3]);
  });

  it('keeps the last 100 entries and goes on counting', async () => {
    const { journal, onDisk } = await journalScene();
    for (let count = 1; count <= 130; count += 1) journal.record('request', context);
    await journal.durable();
    const { history, seq } = await onDisk();
    expect([history.length, history[0]?.attempt, history.at(-1)?.attempt, seq]).toEqual([100, 31, 130, 130]);
  });

  it('goes on in a resumed run; the state that was cut has no duration', async () => {
    const first = await journalScene();
    first.journal.record('prepare', context);
    first.clock.advance(5);
    first.journal.record('request', context);
    await first.journal.durable();

    const again = await journalScene({ previous: await first.onDisk() });
    again.clock.advance(1000);
    again.journal.record('request', context, true);
    again.clock.advance(7);
    again.journal.record('verifyCredentials', context);
    await again.journal.durable();
    const { history, seq } = await again.onDisk();
    expect(seq).toBe(4);
    expect(history.map(({ state, durationMs, attempt, resumed }) => [state, durationMs, attempt, resumed])).toEqual([
      ['prepare', 5, 1, false],
      ['request', null, 1, false],
      ['request', 7, 2, true],
      ['verifyCredentials', null, 1, false],
    ]);
  });

  it('begins anew in a new run, while the sequence goes on', async () => {
    const first = await journalScene();
    first.journal.record('failed', context);
    await first.journal.durable();
    const again = await journalScene({ previous: await first.onDisk() });
    again.journal.record('detect', { ...context, runId: 'run-2' });
    await again.journal.durable();
    const { history, seq, runId } = await again.onDisk();
    expect([history.length, seq, runId]).toEqual([1, 2, 'run-2']);
  });
});
