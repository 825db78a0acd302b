import type { FailureRecord } from '../../machines/provision.types.ts';
import { FAILURES, type FailureCode } from '../../src/failures/catalogue.ts';

/** A failure as an effect reports it, with the test's message. */
export function failureRecord(code: FailureCode, message: string): FailureRecord {
  const { hint, retryable, exitStatus } = FAILURES[code];
  return { code, message, hint, retryable, exitStatus, causes: [] };
}

/** Matches the hint of a code with any facts in it. */
export function hintPattern(code: FailureCode): RegExp {
  const parts = FAILURES[code].hint.split(/\{\w+\}/);
  return new RegExp(parts.map((part) => part.replaceAll(/[.*+?^$()[\]\\|]/g, '\\$&')).join('.+'));
}
