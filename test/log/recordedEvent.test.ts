import { describe, expect, it } from 'vitest';
import type { LogRecord } from '../../src/log/log.ts';
import { isEvent } from '../../src/log/recordedEvent.ts';
import { recordedLog } from '../support/recordedLog.ts';

const record = (event: string, details: LogRecord['details']): LogRecord => ({
  time: '2026-11-23T10:00:00.000Z',
  level: 'info',
  runId: 'r',
  state: null,
  attempt: null,
  event,
  message: 'm',
  details,
});

describe('a line of the log', () => {
  it('with an unknown event, a wrong level, or missing, wrong or extra fields does not compile', () => {
    const { log, lines } = recordedLog();
    log.info('trigger.processed', 'sentence', { file: 'f' });
    log.warn('config.changed', 'sentence');
    log.info('config.changed', 'sentence');
    log.warn('source.bad-line', 'sentence', { leftOut: 2 });
    // @ts-expect-error there is no such event
    log.info('trigger.vanished', 'sentence', { file: 'f' });
    // @ts-expect-error it is logged at info
    log.warn('trigger.processed', 'sentence', { file: 'f' });
    // @ts-expect-error it has fields
    log.info('trigger.processed', 'sentence');
    // @ts-expect-error its field is called file
    log.info('trigger.processed', 'sentence', { path: 'f' });
    // @ts-expect-error the field is a text
    log.info('trigger.processed', 'sentence', { file: 1 });
    // @ts-expect-error it has no other field
    log.info('trigger.processed', 'sentence', { file: 'f', bytes: 3 });
    // @ts-expect-error it has no fields
    log.warn('config.changed', 'sentence', { file: 'f' });
    expect(lines).toHaveLength(11);
  });
});

describe('a recorded line', () => {
  it('is the event of its name if it has the fields of that event', () => {
    const waiting = record('splay.waiting', { ms: 7, later: 'field' });
    expect(isEvent(waiting, 'splay.waiting')).toBe(true);
    expect(isEvent(waiting, 'backoff.waiting', 'splay.waiting')).toBe(true);
    expect(isEvent(waiting, 'backoff.waiting')).toBe(false);
    // The compiler knows the fields after the check.
    expect(isEvent(waiting, 'splay.waiting') && waiting.details.ms.toFixed(1)).toBe('7.0');
  });

  it.each([
    ['a field is missing', record('splay.waiting', {})],
    ['a field is of another kind', record('splay.waiting', { ms: '7' })],
    ['an optional field is of another kind', record('state.entered', { resumed: 'yes' })],
    ['a list is not a list', record('run.reset', { movedTo: 'a' })],
    ['a text is null', record('device.former', { former: null })],
    ['a text or null is absent', record('run.provisioned', { deviceName: null, server: null, seconds: 1 })],
    ['the catalogue does not have it', record('constructor', {})],
  ])('is not an event if %s', (_why, line) => {
    expect(isEvent(line, 'splay.waiting', 'state.entered', 'run.reset', 'device.former', 'run.provisioned')).toBe(
      false,
    );
  });

  it.each([
    record('state.entered', {}),
    record('state.entered', { resumed: true }),
    record('run.reset', { movedTo: ['a'] }),
    record('run.provisioned', { deviceName: null, server: 's', backup: null, seconds: 1 }),
  ])('is an event with $details', (line) => {
    expect(isEvent(line, 'state.entered', 'run.reset', 'run.provisioned')).toBe(true);
  });
});
