import { describe, expect, it } from 'vitest';
import { Failure } from '../../src/failures/failure.ts';
import { notPermitted, problemOf, readPart } from '../../src/status/part.ts';

describe('a part of the files', () => {
  it('has its value, or the problem of reading it', async () => {
    expect(await readPart(() => Promise.resolve(7))).toEqual({ value: 7, problem: undefined });
    const failure = new Failure('DISK_ERROR', 'tooSlow', { path: '/d' });
    const { hint } = failure;
    expect(await readPart(() => Promise.reject(failure))).toEqual({
      value: undefined,
      problem: { code: 'DISK_ERROR', message: failure.message, hint, retryable: false },
    });
  });

  it('that this user may not read says which user may', () => {
    const problem = problemOf(notPermitted('/d/file', undefined));
    expect(problem).toMatchObject({ code: 'FILE_NOT_PERMITTED', message: "/d/file can't be read: permission denied" });
    expect(problem.hint).toBe("Run this command as root or as the agent's user.");
  });
});
