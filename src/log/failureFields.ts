import type { FailureRecord } from '../../machines/provision.types.ts';

/** What a line of the log has as fields of a failure; its message is the sentence of the line. */
export const failureFields = ({ code, hint, exitStatus, retryable, causes }: FailureRecord) => ({
  code,
  hint,
  exitStatus,
  retryable,
  causes,
});
