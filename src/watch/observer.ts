import { createInspector } from '@statelyai/inspect';
import type { InspectionEvent } from 'xstate';
import { createRedaction, type RedactedEvent } from './redact.ts';

/** What a run is watched by. Nothing that goes wrong in it, and nothing that takes long, reaches the run. */
export interface RunInspector {
  /** For `createActor`'s option `inspect`. */
  readonly observe: (event: InspectionEvent) => void;
  /** Gives what is still to be told a moment, never longer than its limit. */
  close(): Promise<void>;
}

/**
 * Turns what xstate tells about its actors into the Stately inspector's events, redacted.
 * @param receive gets each of them in order, in a turn of its own; what it throws is swallowed
 */
export function createObserver(receive: (event: RedactedEvent) => void): RunInspector['observe'] {
  const redact = createRedaction();
  const { inspect } = createInspector({
    send(event) {
      try {
        receive(redact(event));
      } catch {
        // An inspector that has a defect shows less; the run goes on.
      }
    },
  });
  return (event) => inspect.next?.(event);
}
