import type { FailureCode } from '../failures/catalogue.ts';
import { Failure, toFailure } from '../failures/failure.ts';

/**
 * Conditions of a device's files that are not failures of a run. The `code` of a problem is one of them or a failure
 * code of src/failures/catalogue.ts (docs/commands.md, "Conditions").
 */
const CONDITION_CODES = [
  'SNAPSHOT_DAMAGED',
  'CREDENTIALS_DAMAGED',
  'EVENTS_UNREADABLE',
  'INTERRUPTED',
  'WITHDRAWN',
  'FOREIGN_BOARD',
  'DEVICE_MISMATCH',
  'WARNINGS',
  'SECRET_LEFT',
  'SET_ASIDE',
] as const;
export type ConditionCode = (typeof CONDITION_CODES)[number];

export const isConditionCode = (code: string): code is ConditionCode => CONDITION_CODES.some((known) => known === code);

/** A problem for the operator, with what to do about it. */
export interface Problem {
  readonly code: FailureCode | ConditionCode;
  readonly message: string;
  readonly hint: string;
  /** Whether the same step may succeed if it is tried again soon. */
  readonly retryable: boolean;
}

/** One part of the files: its value, or the problem of reading it. An absent file is a value, not a problem. */
export type Part<T> =
  | { readonly value: T; readonly problem: undefined }
  | { readonly value: undefined; readonly problem: Problem };

export const present = <T>(value: T): Part<T> => ({ value, problem: undefined });
export const unusable = (problem: Problem): { readonly value: undefined; readonly problem: Problem } => ({
  value: undefined,
  problem,
});

const NOT_PERMITTED_HINT = "Run this command as root or as the agent's user.";

/** The problem that a read error means for a user who only reads. */
export function problemOf(error: unknown): Problem {
  const failure = toFailure(error);
  const { code, message, retryable } = failure;
  const shutOut = code === 'FILE_NOT_PERMITTED' || code === 'CREDENTIALS_FOREIGN_OWNER';
  return { code, message, hint: shutOut ? NOT_PERMITTED_HINT : failure.hint, retryable };
}

/** Reads one part. An error becomes the problem of this part. */
export async function readPart<T>(read: () => Promise<T>): Promise<Part<T>> {
  try {
    return present(await read());
  } catch (error) {
    return unusable(problemOf(error));
  }
}

/** The failure for a file that this user may not read. */
export const notPermitted = (path: string, cause: unknown): Failure =>
  new Failure('FILE_NOT_PERMITTED', 'unreadable', { path }, cause);
