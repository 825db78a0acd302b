import type { ChartFailure } from '../../machines/provision.failures.ts';
import type { FailureRecord } from '../../machines/provision.types.ts';
import { FAILURES, type FailureCode, type FailureReason, wordsFor } from './catalogue.ts';

type FailureArguments<Reason> = Reason extends FailureReason
  ? [code: Reason['code'], situation: Reason['situation'], facts: Reason['facts'], cause?: unknown]
  : never;

/** An expected failure. The catalogue has the templates of message and hint. */
export class Failure extends Error {
  readonly code: FailureCode;
  /** What to do next. */
  readonly hint: string;

  constructor(...[code, situation, facts, cause]: FailureArguments<FailureReason>) {
    const { message, hint } = wordsFor(code, situation, facts);
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'Failure';
    this.code = code;
    this.hint = hint;
  }

  get exitStatus(): number {
    return FAILURES[this.code].exitStatus;
  }

  get retryable(): boolean {
    return FAILURES[this.code].retryable;
  }
}

const MAX_CAUSES = 5;
const MAX_CAUSE_LENGTH = 300;

/** The causes of an error, outermost first, limited in number and length. */
function causesOf(error: Error): string[] {
  const causes: string[] = [];
  let cause: unknown = error.cause;
  while (cause !== undefined && causes.length < MAX_CAUSES) {
    const text = cause instanceof Error ? `${cause.name}: ${cause.message}` : typeof cause;
    causes.push(text.slice(0, MAX_CAUSE_LENGTH));
    cause = cause instanceof Error ? cause.cause : undefined;
  }
  return causes;
}

/** Turns a thrown value into a Failure. Any value that is not a Failure is a defect of the agent: INTERNAL. */
export function toFailure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  const what = error instanceof Error ? `${error.name}: ${error.message}` : `a thrown ${typeof error}`;
  return new Failure('INTERNAL', 'unexpected', { what }, error);
}

/** A failure as plain JSON, for context, snapshot, status and log. */
export function toFailureRecord(error: unknown): FailureRecord {
  const failure = toFailure(error);
  return {
    code: failure.code,
    message: failure.message,
    hint: failure.hint,
    retryable: failure.retryable,
    exitStatus: failure.exitStatus,
    causes: causesOf(failure),
  };
}

/** Adds message and hint to a failure that the chart itself found. A failure of an effect already has them. */
export function wordedFailure(failure: FailureRecord | ChartFailure): FailureRecord {
  if ('message' in failure) return failure;
  const reason: FailureReason = failure;
  const { exitStatus, retryable } = FAILURES[reason.code];
  const { message, hint } = wordsFor(reason.code, reason.situation, reason.facts);
  return { code: reason.code, message, hint, retryable, exitStatus, causes: [] };
}
