import { isFinalState, isProvisionState, STATES } from '../../machines/provision.states.ts';
import type { FailureRecord } from '../../machines/provision.types.ts';

/** One run for a page. It comes from files or from a running chart, and has no secrets. */
export interface RunView {
  readonly chart: ChartName;
  readonly runId: string | null;
  /** The present or final state of the chart; null: unknown. */
  readonly state: string | null;
  readonly outcome: Outcome;
  /** The status of the run in one sentence. */
  readonly summary: string;
  /** What to do next; empty: nothing. */
  readonly next: string;
  /** The command for it; empty: none. */
  readonly command: string;
  /** Name and value, for the table at the top. */
  readonly facts: readonly (readonly [name: string, value: string])[];
  readonly steps: readonly StepView[];
  readonly error: Pick<FailureRecord, 'code' | 'message' | 'hint' | 'causes'> | null;
  readonly warnings: readonly string[];
  readonly events: readonly EventView[];
  /** The chart's context as JSON; null: not known. */
  readonly context: string | null;
}

export type ChartName = 'provision' | 'telemetry';

/** `waiting`: the run is unfinished, and no agent is known to be running. */
export type Outcome = 'none' | 'running' | 'waiting' | 'done' | 'attention' | 'failed';

export interface StepView {
  readonly state: string;
  /** ISO 8601, UTC. */
  readonly enteredAt: string;
  /** Milliseconds; null: the run is still in this state, or was interrupted in it. */
  readonly durationMs: number | null;
  /** How often the run has entered this state so far. */
  readonly attempt: number;
  readonly resumed: boolean;
  /** A remark on this step, such as the reason for a pause. */
  readonly note: string;
}

export interface EventView {
  /** ISO 8601, UTC. */
  readonly time: string;
  readonly level: 'error' | 'warn' | 'info' | 'debug';
  readonly name: string;
  readonly text: string;
}

/** The outcome of a run whose latest state is this one. @param alive whether an agent is running */
export function outcomeOf(state: string | null, alive: boolean): Outcome {
  if (state === null) return 'none';
  // The only final state of normal operation (machines/telemetry.machine.ts).
  if (state === 'stopped') return 'done';
  if (isProvisionState(state) && isFinalState(state)) return STATES[state].outcome;
  return alive ? 'running' : 'waiting';
}

/** A time for people: `2026-11-23 11:51:44 UTC`. @param iso ISO 8601, UTC */
export const formatTime = (iso: string): string => `${iso.slice(0, 19).replace('T', ' ')} UTC`;
