import type { ProvisionContext } from '../../machines/provision.types.ts';
import type { ProvisionState } from '../state/snapshotDocument.ts';

/** The way of a run without trouble, in order. */
export const STEPS = [
  'detect',
  'validate',
  'prepare',
  'request',
  'verifyCredentials',
  'backup',
  'write',
  'finalize',
] as const satisfies readonly ProvisionState[];

const isStep = (state: ProvisionState): state is (typeof STEPS)[number] => STEPS.some((step) => step === state);

/** How far a run is: 1 to 8. Pauses and probes belong to the step that they repeat; a failed run stands where it was. */
export function stepOf(state: ProvisionState, context: Pick<ProvisionContext, 'granted' | 'furthestStep'>): number {
  if (isStep(state)) return STEPS.indexOf(state) + 1;
  if (state === 'reconcile' || state === 'backoff') {
    return STEPS.indexOf(context.granted === null ? 'request' : 'verifyCredentials') + 1;
  }
  if (state === 'restore') return STEPS.indexOf('write') + 1;
  // The chart counts from detect = 0, and one more for the end.
  return Math.min(context.furthestStep + 1, STEPS.length);
}
