import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatJson, formatRecord, formatText } from '../../src/log/format.ts';
import type { LogRecord } from '../../src/log/log.ts';

const RECORD: LogRecord = {
  time: '2026-11-23T10:15:30.123Z',
  level: 'info',
  event: 'request.sent',
  message: 'Asked the server',
  runId: 'r1',
  state: 'request',
  attempt: 2,
  details: { deviceName: 'camera-1', tls: false, attempts: [], nothing: undefined, none: null },
};
const record = (changes: Partial<LogRecord>): LogRecord => ({ ...RECORD, ...changes });

describe('formatText', () => {
  it('shows time, level, state, message, event, run, attempt and details', () => {
    expect(formatText(RECORD)).toBe(
      '2026-11-23T10:15:30.123Z INFO  [request] Asked the server (request.sent run=r1 attempt=2 deviceName="camera-1" tls=false attempts=[])',
    );
  });

  it('leaves out unknown values', () => {
    expect(formatText(record({ runId: null, state: null, attempt: null, details: {} }))).toBe(
      '2026-11-23T10:15:30.123Z INFO  Asked the server (request.sent)',
    );
  });

  it('shows a hint after the message, with one full stop between them', () => {
    const hint = 'Free some space.';
    for (const message of ['The disk is full', 'The disk is full.']) {
      expect(formatText(record({ message, details: { code: 'DISK_FULL', hint } }))).toContain(
        '[request] The disk is full. Free some space. (request.sent run=r1 attempt=2 code="DISK_FULL")',
      );
    }
    expect(formatText(record({ details: { hint: '' } }))).toContain('Asked the server (request.sent');
  });

  it('indents further lines, so that no part of a message looks like a log line', () => {
    expect(formatText(record({ message: 'one\n2026-11-23T10:15:31.000Z ERROR two', details: {} }))).toContain(
      'one\n    2026-11-23T10:15:31.000Z ERROR two (',
    );
  });

  it.each([
    ['a carriage return', '\r'],
    ['a line break of C1', '\u0085'],
    ['an escape sequence', '\u001b[2J'],
    ['an 8-bit escape sequence', '\u009b2J'],
    ['a NUL', '\0'],
    ['a DEL', '\u007f'],
  ])('shows %s as a question mark in the message, and not unescaped in the details', (_what, text) => {
    const line = formatText(record({ message: `a${text}b`, details: { name: `c${text}d` } }));
    expect(line).not.toMatch(/\p{Cc}/u);
    expect(line).toContain('a?');
  });

  it('has no control characters except the indented line breaks of the message', () => {
    const anything = fc.string({ unit: 'binary' });
    fc.assert(
      fc.property(anything, anything, fc.array(anything), (message, value, list) => {
        const [, ...more] = formatText(record({ message, details: { value, list } })).split('\n');
        expect(more).toHaveLength(message.split('\n').length - 1);
        for (const line of more) expect(line.startsWith('    ')).toBe(true);
        expect(more.join('')).not.toMatch(/\p{Cc}/u);
      }),
    );
  });
});

describe('formatJson', () => {
  it('has the fixed keys first, in order, then the details', () => {
    expect(formatJson(RECORD)).toBe(
      '{"time":"2026-11-23T10:15:30.123Z","level":"info","runId":"r1","state":"request","attempt":2,"event":"request.sent","message":"Asked the server","deviceName":"camera-1","tls":false,"attempts":[],"none":null}',
    );
  });

  it('does not let a detail replace a fixed key', () => {
    const details = {
      level: 'debug',
      event: 'forged',
      message: 'forged',
      time: 'never',
      runId: 'x',
      state: 'y',
      attempt: 9,
    };
    expect(JSON.parse(formatJson(record({ details })))).toEqual({ ...RECORD, details: undefined });
  });

  it('is always one line that can be parsed', () => {
    const anything = fc.string({ unit: 'binary' });
    fc.assert(
      fc.property(anything, anything, fc.array(anything), (message, value, list) => {
        const line = formatJson(record({ message, details: { value, list } }));
        expect(line).not.toMatch(/[\n\r]/);
        expect(JSON.parse(line)).toMatchObject({ message, value, list });
      }),
    );
  });
});

describe('formatRecord', () => {
  it('uses the given format', () => {
    expect(formatRecord('json', RECORD)).toBe(formatJson(RECORD));
    expect(formatRecord('text', RECORD)).toBe(formatText(RECORD));
  });
});
