import { isFailureCode } from '../failures/catalogue.ts';
import { isEvent } from '../log/recordedEvent.ts';
import type { DeviceFiles } from './deviceFiles.ts';
import type { Problem } from './part.ts';

/** Events after which an earlier failure no longer counts. */
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
 * The failure of the last start that the snapshot does not record: the run could not begin, or the snapshot could not
 * be written. Undefined: there was none.
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
