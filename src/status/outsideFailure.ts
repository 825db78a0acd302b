import { FAILURES, isFailureCode } from '../failures/catalogue.ts';
import type { DeviceFiles } from './deviceFiles.ts';
import type { Problem } from './part.ts';

/** Events after which an earlier failure says nothing any more. */
const TURNING_POINTS = [
  'run.started',
  'run.resumed',
  'run.nothing',
  'run.swept',
  'run.provisioned',
  'run.withdrawn',
  'run.superseded',
  'run.interrupted',
  'run.reset',
  'run.failed',
];

const HINT_IN_MESSAGE = 'The message ends with what to do.';

/**
 * The failure that ended the last start without getting into the snapshot: before a run could begin, or because the
 * snapshot could not be written. Undefined: there was none.
 */
export function outsideFailure(files: DeviceFiles): Problem | undefined {
  const last = files.events.value?.records.findLast(({ event }) => TURNING_POINTS.includes(event));
  if (last?.event !== 'run.failed') return undefined;
  const snapshot = files.snapshot.value;
  if (snapshot?.state === 'failed' && snapshot.runId === last.runId) return undefined;
  const { code, hint } = last.details;
  if (typeof code !== 'string' || !isFailureCode(code)) return undefined;
  const { retryable } = FAILURES[code];
  // Version 1.0.0 wrote the hint at the end of the message only.
  if (typeof hint !== 'string') return { code, message: last.message, hint: HINT_IN_MESSAGE, retryable };
  const end = last.message.lastIndexOf(`. ${hint}`);
  return { code, message: end === -1 ? last.message : last.message.slice(0, end), hint, retryable };
}
