import { describe, expect, it } from 'vitest';
import { type Counted, type Entry, elapsedMs, withEntry, workedMs } from '../../src/history/runHistory.ts';

const entry = (state: string, resumed = false): Entry => ({ state, enteredAt: '2026-11-23T10:00:00.000Z', resumed });

/** The history of states, each with how long the one before it lasted. */
function historyOf(...states: readonly (readonly [string, number | null])[]): (Entry & Counted)[] {
  let history: (Entry & Counted)[] = [];
  for (const [state, lastedMs] of states) history = withEntry(history, entry(state), lastedMs);
  return history;
}

describe('the history of a run', () => {
  it('has the duration of each state but the last, and how often each was entered', () => {
    const history = historyOf(['request', null], ['backoff', 5], ['request', 1000], ['verifyCredentials', 7]);
    expect(history.map(({ state, durationMs, attempt }) => [state, durationMs, attempt])).toEqual([
      ['request', 5, 1],
      ['backoff', 1000, 1],
      ['request', 7, 2],
      ['verifyCredentials', null, 1],
    ]);
    expect(workedMs(history)).toBe(1012);
  });

  it('has no duration for an interrupted state, also when another follows', () => {
    expect(historyOf(['write', null], ['write', null], ['finalize', 3]).map(({ durationMs }) => durationMs)).toEqual([
      null,
      3,
      null,
    ]);
  });

  it('keeps what else an entry has, and changes no earlier history', () => {
    const before = withEntry<Entry & { note: string }>([], { ...entry('write'), note: 'n' }, null);
    const after = withEntry(before, { ...entry('write', true), note: 'm' }, 4);
    expect(before).toMatchObject([{ note: 'n', durationMs: null }]);
    expect(after).toMatchObject([
      { note: 'n', durationMs: 4 },
      { note: 'm', resumed: true, attempt: 2 },
    ]);
  });

  it('keeps the newest entries, and still counts the older ones', () => {
    let history: (Entry & Counted)[] = [];
    for (let count = 0; count < 5; count += 1) history = withEntry(history, entry('backoff'), 1, 2);
    expect(history.map(({ attempt }) => attempt)).toEqual([4, 5]);
  });
});

it('time that a clock set back makes negative counts as none', () => {
  expect(elapsedMs('2026-11-23T10:00:00.000Z', '2026-11-23T10:00:01.500Z')).toBe(1500);
  expect(elapsedMs('2026-11-23T10:00:01.000Z', '2026-11-23T10:00:00.000Z')).toBe(0);
});
