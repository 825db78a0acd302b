import { describe, expect, it } from 'vitest';
import { FAILURES, isFailureCode } from '../../../src/failures/catalogue.ts';
import { hintPattern } from '../../support/failureRecord.ts';
import { isRoot } from '../../support/unprivileged.ts';
import { PROVOCATIONS } from './failureProvocations.ts';

/** SC-003. */
const MESSAGE_LIMIT_MS = 10_000;

const codes = Object.keys(FAILURES).sort();
const cases = Object.entries(PROVOCATIONS).map(([code, provocation]) => ({ code, ...provocation }));

describe('SC-003', () => {
  it('every failure code is provoked', () => {
    expect(Object.keys(PROVOCATIONS).sort()).toEqual(codes);
  });
});

describe.concurrent('SC-003: the message with code and hint is printed within 10 s of the failure', () => {
  it.for(cases)('$code', async ({ code, provoke, hint, needsRoot }, { onTestFinished, skip }) => {
    if (!isFailureCode(code)) throw new Error(`${code} is not a failure code`);
    skip(needsRoot === true && !isRoot, 'only root can give a file to another user');
    const report = await provoke(onTestFinished, code);
    expect(report.at - report.detectableAt).toBeLessThan(MESSAGE_LIMIT_MS);
    expect(report.status).toBe(FAILURES[code].exitStatus);
    expect(report.hint).toMatch(hint ?? hintPattern(code));
  });
});
