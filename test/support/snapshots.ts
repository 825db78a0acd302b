import { type ProvisionState, STATES } from '../../machines/provision.states.ts';
import type { RecordedContext, SnapshotDocument } from '../../src/state/snapshotDocument.ts';
import { START, startChart } from './chartRun.ts';

/** A snapshot in a state: the context of a run's start with these changes. */
export function snapshotIn(state: ProvisionState, context: Partial<RecordedContext> = {}): SnapshotDocument {
  const at = new Date(START).toISOString();
  return {
    format: 'thermal-provision-snapshot',
    version: 1,
    agentVersion: '1.0.0',
    runId: 'run-1',
    seq: 7,
    savedAt: at,
    startedAt: at,
    state,
    status: STATES[state].status,
    attempt: 1,
    maxAttempts: 4,
    context: { ...startChart().context(), error: null, ...context },
    history: [{ state, enteredAt: at, durationMs: null, attempt: 1, resumed: false }],
    error: null,
  };
}
