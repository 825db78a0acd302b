import { describe, expect, it } from 'vitest';
import { Failure } from '../../src/failures/failure.ts';
import { notPermitted, problemOf, readPart } from '../../src/status/part.ts';
import { STEPS, stepOf } from '../../src/status/steps.ts';
import { GRANTED } from '../support/statusFiles.ts';

describe('a part of the files', () => {
  it('has its value, or why there is none', async () => {
    expect(await readPart(() => Promise.resolve(7))).toEqual({ value: 7, problem: undefined });
    const failure = new Failure('DISK_ERROR', 'tooSlow', { path: '/d' });
    const { hint } = failure;
    expect(await readPart(() => Promise.reject(failure))).toEqual({
      value: undefined,
      problem: { code: 'DISK_ERROR', message: failure.message, hint, retryable: false },
    });
  });

  it('that is shut sends the operator to who may read it', () => {
    const problem = problemOf(notPermitted('/d/file', undefined));
    expect(problem).toMatchObject({ code: 'FILE_NOT_PERMITTED', message: "/d/file can't be read: permission denied" });
    expect(problem.hint).toBe('Call this command as root or as the agent’s user.');
  });
});

it('every state has its step, and none goes back before it is due', () => {
  const before = { granted: null, furthestStep: 3 };
  const granted = { granted: GRANTED, furthestStep: 4 };
  expect(STEPS.map((state) => stepOf(state, before))).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  expect([stepOf('backoff', before), stepOf('reconcile', before), stepOf('backoff', granted)]).toEqual([4, 4, 5]);
  expect([stepOf('restore', granted), stepOf('failed', before), stepOf('failed', granted)]).toEqual([7, 4, 5]);
  expect(stepOf('provisioned', { granted: GRANTED, furthestStep: 8 })).toBe(8);
});
