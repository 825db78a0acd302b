import { createInspector } from '@statelyai/inspect';
import type { InspectionEvent } from 'xstate';
import { createRedaction, type RedactedEvent } from './redact.ts';

/** Watches a run. Its errors and delays never affect the run. */
export interface RunInspector {
  /** For `createActor`'s option `inspect`. */
  readonly observe: (event: InspectionEvent) => void;
  /** Delivers the last events within a time limit, then closes. */
  close(): Promise<void>;
}

/**
 * Turns xstate's inspection events into redacted events of the Stately inspector.
 * @param receive gets the events in order, each in a later turn of the event loop; its errors are ignored
 */
export function createObserver(receive: (event: RedactedEvent) => void): RunInspector['observe'] {
  const redact = createRedaction();
  const { inspect } = createInspector({
    send(event) {
      try {
        receive(redact(event));
      } catch {
        // A defect of an inspector must not stop the run.
      }
    },
  });
  return (event) => inspect.next?.(event);
}
