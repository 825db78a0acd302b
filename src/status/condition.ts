import type { ConditionCode, Problem } from './part.ts';

/** A condition that `status` finds, not a failure of a run. */
export const condition = (code: ConditionCode, message: string, hint: string): Problem => ({
  code,
  message,
  hint,
  retryable: false,
});
