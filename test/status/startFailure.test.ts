import { expect, it } from 'vitest';
import type { LogRecord } from '../../src/log/log.ts';
import { assess } from '../../src/status/assessment.ts';
import { present } from '../../src/status/part.ts';
import { startFailure } from '../../src/status/startFailure.ts';
import { filesWith } from '../support/statusFiles.ts';

const failed = (details: LogRecord['details']): LogRecord => ({
  time: '2026-11-23T10:00:00.000Z',
  level: 'error',
  runId: null,
  state: null,
  attempt: null,
  event: 'run.failed',
  message: 'Could not write',
  details,
});
const filesAfter = (...records: LogRecord[]) => filesWith({}, { events: present({ records, skipped: 0 }) });

it('a failure before the first state has its own hint, not the usual one of its code', () => {
  const hint = 'Mount the card that holds /device again.';
  const details = { code: 'DISK_FULL', hint, exitStatus: 74, retryable: true, causes: [] };
  const expected = { code: 'DISK_FULL', message: 'Could not write', hint, retryable: true };
  expect(startFailure(filesAfter(failed(details)))).toEqual(expected);
});

it('a line without the fields of a failure says nothing about the last start', () => {
  expect(startFailure(filesAfter(failed({ code: 'DISK_FULL' })))).toBeUndefined();
});

it('a line of version 1.0.0, whose message ends with the hint, leads to the message', () => {
  const details = { code: 'DISK_FULL', hint: '', exitStatus: 74, retryable: false, causes: [] };
  expect(assess(filesAfter(failed(details))).next?.text).toBe('Do what the message says, then start the agent');
});
