import { describe, expect, it } from 'vitest';
import { createLog, LOG_LEVELS, type LogRecord, type RunPosition, silentLog } from '../../src/log/log.ts';

const clock = { now: () => Date.UTC(2026, 10, 23, 10, 15, 30, 123), monotonic: () => 0 };

describe('createLog', () => {
  it('makes a record of each line, at its level, with the time and an empty set of details', () => {
    const records: LogRecord[] = [];
    const log = createLog((record) => records.push(record), clock, { runId: 'r1', state: 'request', attempt: 1 });
    for (const level of LOG_LEVELS) log[level](`${level}.event`, `said at ${level}`);
    expect(records).toEqual(
      LOG_LEVELS.map((level) => ({
        time: '2026-11-23T10:15:30.123Z',
        level,
        event: `${level}.event`,
        message: `said at ${level}`,
        runId: 'r1',
        state: 'request',
        attempt: 1,
        details: {},
      })),
    );
  });

  it('reads the position anew for each line, and keeps none of it by reference', () => {
    const records: LogRecord[] = [];
    const position: RunPosition = { runId: null, state: null, attempt: null };
    const log = createLog((record) => records.push(record), clock, position);
    log.info('a', 'before');
    Object.assign(position, { runId: 'r1', state: 'backoff', attempt: 3 });
    log.info('b', 'after', { retryInMs: 4000 });
    expect(records).toMatchObject([
      { runId: null, state: null, attempt: null, details: {} },
      { runId: 'r1', state: 'backoff', attempt: 3, details: { retryInMs: 4000 } },
    ]);
  });
});

describe('silentLog', () => {
  it('takes lines of every level', () => {
    for (const level of LOG_LEVELS) expect(silentLog[level]('event', 'message')).toBeUndefined();
  });
});
