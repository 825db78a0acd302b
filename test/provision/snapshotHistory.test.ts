import { describe, expect, it } from 'vitest';
import { chartAt } from '../support/chartRun.ts';
import { writerScene } from './writerScene.ts';

const context = { ...(await chartAt('request')).context(), error: null };

describe('the history in the snapshot', () => {
  it('measures the duration of a state independently of the wall clock', async () => {
    const { writer, clock, onDisk } = await writerScene();
    writer.record('validate', context);
    clock.advance(1234.4);
    clock.jump(-1e9);
    writer.record('prepare', context);
    clock.advance(10);
    writer.record('request', context);
    await writer.durable();
    expect((await onDisk()).history.map(({ state, durationMs }) => [state, durationMs])).toEqual([
      ['validate', 1234],
      ['prepare', 10],
      ['request', null],
    ]);
  });

  it('numbers the tries of each state', async () => {
    const { writer, onDisk } = await writerScene();
    for (const state of ['request', 'backoff', 'request', 'backoff', 'request'] as const) writer.record(state, context);
    await writer.durable();
    expect((await onDisk()).history.map(({ attempt }) => attempt)).toEqual([1, 1, 2, 2, 3]);
  });

  it('keeps the last 100 entries and continues to count', async () => {
    const { writer, onDisk } = await writerScene();
    for (let count = 1; count <= 130; count += 1) writer.record('request', context);
    await writer.durable();
    const { history, seq } = await onDisk();
    expect([history.length, history[0]?.attempt, history.at(-1)?.attempt, seq]).toEqual([100, 31, 130, 130]);
  });

  it('continues in a resumed run; the interrupted state has no duration', async () => {
    const first = await writerScene();
    first.writer.record('prepare', context);
    first.clock.advance(5);
    first.writer.record('request', context);
    await first.writer.durable();

    const again = await writerScene({ previous: await first.onDisk() });
    again.clock.advance(1000);
    again.writer.record('request', context, true);
    again.clock.advance(7);
    again.writer.record('verifyCredentials', context);
    await again.writer.durable();
    const { history, seq } = await again.onDisk();
    expect(seq).toBe(4);
    expect(history.map(({ state, durationMs, attempt, resumed }) => [state, durationMs, attempt, resumed])).toEqual([
      ['prepare', 5, 1, false],
      ['request', null, 1, false],
      ['request', 7, 2, true],
      ['verifyCredentials', null, 1, false],
    ]);
  });

  it('starts empty in a new run, while the sequence continues', async () => {
    const first = await writerScene();
    first.writer.record('failed', context);
    await first.writer.durable();
    const again = await writerScene({ previous: await first.onDisk() });
    again.writer.record('detect', { ...context, runId: 'run-2' });
    await again.writer.durable();
    const { history, seq, runId } = await again.onDisk();
    expect([history.length, seq, runId]).toEqual([1, 2, 'run-2']);
  });
});
