import { describe, expect, it } from 'vitest';
import { LOG_LEVELS } from '../../src/log/levels.ts';
import { createLog, type LogRecord, type RunPosition, silentLog } from '../../src/log/log.ts';

const clock = { now: () => Date.UTC(2026, 10, 23, 10, 15, 30, 123), monotonic: () => 0 };

describe('createLog', () => {
  it('makes a record of each line with level, time, position and details', () => {
    const records: LogRecord[] = [];
    const log = createLog((record) => records.push(record), clock, { runId: 'r1', state: 'request', attempt: 1 });
    log.error('config.unusable', 'said at error');
    log.warn('run.interrupted', 'said at warn');
    log.info('run.nothing', 'said at info');
    log.debug('credentials.removed', 'said at debug', { file: 'f' });
    const position = { runId: 'r1', state: 'request', attempt: 1 };
    expect(records).toEqual(
      [
        { event: 'config.unusable', level: 'error', details: {} },
        { event: 'run.interrupted', level: 'warn', details: {} },
        { event: 'run.nothing', level: 'info', details: {} },
        { event: 'credentials.removed', level: 'debug', details: { file: 'f' } },
      ].map((line) => ({ time: '2026-11-23T10:15:30.123Z', ...position, ...line, message: `said at ${line.level}` })),
    );
  });

  it('copies the position for each line', () => {
    const records: LogRecord[] = [];
    const position: RunPosition = { runId: null, state: null, attempt: null };
    const log = createLog((record) => records.push(record), clock, position);
    log.info('backup.none', 'before');
    Object.assign(position, { runId: 'r1', state: 'backoff', attempt: 3 });
    log.info('splay.waiting', 'after', { ms: 4000 });
    expect(records).toMatchObject([
      { event: 'backup.none', runId: null, state: null, attempt: null, details: {} },
      { runId: 'r1', state: 'backoff', attempt: 3, details: { ms: 4000 } },
    ]);
  });
});

describe('silentLog', () => {
  it('accepts lines of every level', () => {
    expect(Object.keys(silentLog)).toEqual(LOG_LEVELS);
    expect(silentLog.warn('run.interrupted', 'message')).toBeUndefined();
  });
});
