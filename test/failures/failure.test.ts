import { describe, expect, it } from 'vitest';
import { FAILURES } from '../../src/failures/catalogue.ts';
import { EXIT } from '../../src/failures/exit.ts';
import { Failure, toFailure, toFailureRecord, wordedFailure } from '../../src/failures/failure.ts';
import { provisioningServer } from '../../src/failures/serverFacts.ts';

/** The names of sysexits.h, which systemd uses too. */
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

  it.each(Object.entries(FAILURES))('%s has a failure status and a hint that is a sentence', (code, kind) => {
    expect(code).toMatch(/^[A-Z][A-Z0-9_]+$/);
    expect(Object.values(EXIT)).toContain(kind.exitStatus);
    expect(kind.exitStatus).not.toBe(EXIT.OK);
    expect(kind.hint).toMatch(/^[A-Za-z].{10,}[.)}]$/);
  });

  it('retries only failures that systemd restarts: no status of RestartPreventExitStatus', () => {
    const prevented: readonly number[] = [EXIT.USAGE, EXIT.DATAERR, EXIT.NOINPUT, EXIT.NOPERM, EXIT.CONFIG];
    for (const [code, { retryable, exitStatus }] of Object.entries(FAILURES)) {
      if (retryable) expect(prevented, code).not.toContain(exitStatus);
    }
  });
});

const SERVER = provisioningServer({ host: '::1', port: 1883 });

describe('a failure', () => {
  it('takes status, retry and hint from the catalogue', () => {
    const failure = new Failure('CONNECTION_REFUSED', 'connecting', { ...SERVER, why: 'nothing listens', errno: 'E' });
    expect(failure).toMatchObject({ name: 'Failure', code: 'CONNECTION_REFUSED', exitStatus: 69, retryable: true });
    expect(failure.message).toBe('No connection to [::1]:1883: nothing listens (E)');
    expect(failure.hint).toBe(
      "Check provisioning.port in provision.json and that the server's MQTT transport runs. The next boot tries again.",
    );
    expect(failure.cause).toBeUndefined();
    expect('cause' in failure).toBe(false);
  });

  it('has the hint of its situation if the situation has one', () => {
    const facts = { file: 'thermal_config.json', state: 'write', folder: '/d' };
    expect(new Failure('LOCKED', 'unfinishedRun', facts)).toMatchObject({
      message: 'An unfinished run is changing thermal_config.json (state write)',
      hint: 'Finish the run first: thermal-provision run --dir /d',
    });
  });

  it('has a line for each item of a list, and does not replace braces in a fact', () => {
    const { message } = new Failure('PROVISION_JSON_INVALID', 'problems', {
      path: '/{count}',
      count: 2,
      problems: ['a: {path}', 'b: wrong'],
    });
    expect(message).toBe('/{count} has 2 problems:\n- a: {path}\n- b: wrong');
  });

  it('is returned unchanged', () => {
    const failure = new Failure('LOCKED', 'byProcess', { folder: '/d', pid: 7 });
    expect(toFailure(failure)).toBe(failure);
  });

  it.each([
    [new TypeError('boom'), 'Unexpected error: TypeError: boom'],
    ['text', 'Unexpected error: a thrown string'],
    [null, 'Unexpected error: a thrown object'],
    [undefined, 'Unexpected error: a thrown undefined'],
  ])('is INTERNAL for any other error (%s)', (thrown, message) => {
    const failure = toFailure(thrown);
    expect([failure.code, failure.exitStatus, failure.message]).toEqual(['INTERNAL', 70, message]);
    expect(failure.cause).toBe(thrown);
  });
});

describe('a failure as plain JSON', () => {
  it('is JSON, causes outermost first', () => {
    const cause = new Error('outer', { cause: new RangeError('inner', { cause: { secret: 's3cret' } }) });
    const record = toFailureRecord(new Failure('DISK_ERROR', 'operation', { doing: 'read /d', errno: 'EIO' }, cause));
    expect(JSON.parse(JSON.stringify(record))).toEqual({
      code: 'DISK_ERROR',
      message: 'Could not read /d: EIO',
      hint: FAILURES.DISK_ERROR.hint,
      retryable: false,
      exitStatus: 74,
      causes: ['Error: outer', 'RangeError: inner', 'object'],
    });
  });

  it('limits number and length of the causes, also of a circular chain', () => {
    const error = new Error('x'.repeat(1000));
    error.cause = error;
    const { causes } = toFailureRecord(new Failure('DISK_ERROR', 'tooSlow', { path: '/d' }, error));
    expect(causes).toHaveLength(5);
    for (const cause of causes) expect(cause).toHaveLength(300);
  });
});

describe('a failure of the chart', () => {
  it('gets message, hint, exit status and retry from the catalogue', () => {
    expect(wordedFailure({ code: 'RESUME_LOOP', situation: 'noProgress', facts: { resumes: 20 } })).toEqual({
      code: 'RESUME_LOOP',
      message: 'The run was interrupted 20 times without progress',
      hint: FAILURES.RESUME_LOOP.hint,
      retryable: false,
      exitStatus: 70,
      causes: [],
    });
  });

  it('is unchanged when an effect reported it', () => {
    const reported = toFailureRecord(new Failure('DISK_ERROR', 'tooSlow', { path: '/d' }, new Error('cause')));
    expect(wordedFailure(reported)).toBe(reported);
  });
});
