import { isFailureCode } from '../failures/catalogue.ts';
import { isEvent } from '../log/recordedEvent.ts';
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
] as const;

/**
 * The failure that ended the last start without getting into the snapshot: before a run could begin, or because the
 * snapshot could not be written. Undefined: there was none.
 */
export function startFailure(files: DeviceFiles): Problem | undefined {
  const last = files.events.value?.records.findLast((record) => isEvent(record, ...TURNING_POINTS));
  if (last?.event !== 'run.failed') return undefined;
  const snapshot = files.snapshot.value;
  if (snapshot?.state === 'failed' && snapshot.runId === last.runId) return undefined;
  const { code, hint, retryable } = last.details;
  if (!isFailureCode(code)) return undefined;
  return { code, message: last.message, hint, retryable };
}
