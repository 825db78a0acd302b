import type { FailureCode } from '../failures/catalogue.ts';
import { Failure, toFailure } from '../failures/failure.ts';

/**
 * What can be wrong with a device’s files without being a failure of a run. They stand beside the catalogue of
 * src/failures/catalogue.ts in the `code` of a problem (docs/commands.md, "Conditions").
 */
export type ConditionCode =
  | 'SNAPSHOT_DAMAGED'
  | 'CREDENTIALS_DAMAGED'
  | 'EVENTS_UNREADABLE'
  | 'INTERRUPTED'
  | 'WITHDRAWN'
  | 'FOREIGN_BOARD'
  | 'DEVICE_MISMATCH'
  | 'WARNINGS'
  | 'SET_ASIDE';

/** Something that an operator has to know, with what to do about it. */
export interface Problem {
  readonly code: FailureCode | ConditionCode;
  readonly message: string;
  readonly hint: string;
  /** Whether the same step may succeed when it is tried again in a moment. */
  readonly retryable: boolean;
}

/** One of the things that were looked at: its value, or why there is none. An absent file is a value, not a problem. */
export type Part<T> =
  | { readonly value: T; readonly problem: undefined }
  | { readonly value: undefined; readonly problem: Problem };

export const present = <T>(value: T): Part<T> => ({ value, problem: undefined });
export const unusable = (problem: Problem): { readonly value: undefined; readonly problem: Problem } => ({
  value: undefined,
  problem,
});

const NOT_PERMITTED_HINT = 'Call this command as root or as the agent’s user.';

/** The problem that an error means for somebody who only looks. */
export function problemOf(error: unknown): Problem {
  const failure = toFailure(error);
  const { code, message, retryable } = failure;
  const shutOut = code === 'FILE_NOT_PERMITTED' || code === 'CREDENTIALS_FOREIGN_OWNER';
  return { code, message, hint: shutOut ? NOT_PERMITTED_HINT : failure.hint, retryable };
}

/** Reads one part; whatever goes wrong stays within it. */
export async function readPart<T>(read: () => Promise<T>): Promise<Part<T>> {
  try {
    return present(await read());
  } catch (error) {
    return unusable(problemOf(error));
  }
}

/** The failure for a file that this user must not read. */
export const notPermitted = (path: string, cause: unknown): Failure =>
  new Failure('FILE_NOT_PERMITTED', 'unreadable', { path }, cause);
