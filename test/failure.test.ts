import { describe, expect, it } from 'vitest';
import { EXIT, FAILURES, Failure, toFailure, toFailureRecord } from '../src/failures/failure.ts';

/** sysexits.h, which systemd knows by these names. */
const SYSEXITS = {
  OK: 0,
  USAGE: 64,
  DATAERR: 65,
  NOINPUT: 66,
  UNAVAILABLE: 69,
  SOFTWARE: 70,
  IOERR: 74,
  TEMPFAIL: 75,
  PROTOCOL: 76,
  NOPERM: 77,
  CONFIG: 78,
};

describe('the catalogue of failures', () => {
  it('has the exit statuses of sysexits.h', () => {
    expect(EXIT).toEqual(SYSEXITS);
  });

  it.each(Object.entries(FAILURES))(
    '%s has a status that means failure and a hint that is a sentence',
    (code, kind) => {
      expect(code).toMatch(/^[A-Z][A-Z0-9_]+$/);
      expect(Object.values(EXIT)).toContain(kind.exitStatus);
      expect(kind.exitStatus).not.toBe(EXIT.OK);
      expect(kind.hint).toMatch(/^[A-Za-z].{10,}[.)]$/);
    },
  );

  it('tries again only what systemd would start again: no status of RestartPreventExitStatus', () => {
    const prevented: readonly number[] = [EXIT.USAGE, EXIT.DATAERR, EXIT.NOINPUT, EXIT.NOPERM, EXIT.CONFIG];
    for (const [code, { retryable, exitStatus }] of Object.entries(FAILURES)) {
      if (retryable) expect(prevented, code).not.toContain(exitStatus);
    }
  });
});

describe('a failure', () => {
  it('takes status, retry and hint from the catalogue', () => {
    const failure = new Failure('CONNECTION_REFUSED', 'nothing listens');
    expect(failure).toMatchObject({ name: 'Failure', code: 'CONNECTION_REFUSED', exitStatus: 69, retryable: true });
    expect(failure.hint).toBe(FAILURES.CONNECTION_REFUSED.hint);
    expect(failure.cause).toBeUndefined();
    expect('cause' in failure).toBe(false);
  });

  it('may know better what to do', () => {
    expect(new Failure('DISK_FULL', 'full', { hint: 'Remove x.' }).hint).toBe('Remove x.');
  });

  it('stays itself', () => {
    const failure = new Failure('LOCKED', 'held');
    expect(toFailure(failure)).toBe(failure);
  });

  it.each([
    [new TypeError('boom'), 'Unexpected error: TypeError: boom'],
    ['text', 'Unexpected error: a thrown string'],
    [null, 'Unexpected error: a thrown object'],
    [undefined, 'Unexpected error: a thrown undefined'],
  ])('is INTERNAL for anything unforeseen (%s)', (thrown, message) => {
    const failure = toFailure(thrown);
    expect([failure.code, failure.exitStatus, failure.message]).toEqual(['INTERNAL', 70, message]);
    expect(failure.cause).toBe(thrown);
  });
});

describe('a failure’s plain form', () => {
  it('is JSON, causes outermost first', () => {
    const cause = new Error('outer', { cause: new RangeError('inner', { cause: { secret: 's3cret' } }) });
    const record = toFailureRecord(new Failure('DISK_ERROR', 'read failed', { cause }));
    expect(JSON.parse(JSON.stringify(record))).toEqual({
      code: 'DISK_ERROR',
      message: 'read failed',
      hint: FAILURES.DISK_ERROR.hint,
      retryable: false,
      exitStatus: 74,
      causes: ['Error: outer', 'RangeError: inner', 'object'],
    });
  });

  it('bounds number and length of the causes, also when they go round', () => {
    const error = new Error('x'.repeat(1000));
    error.cause = error;
    const { causes } = toFailureRecord(new Failure('DISK_ERROR', 'm', { cause: error }));
    expect(causes).toHaveLength(5);
    for (const cause of causes) expect(cause).toHaveLength(300);
  });
});
