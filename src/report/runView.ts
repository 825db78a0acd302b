import { isFinalState, isProvisionState, STATES } from '../../machines/provision.states.ts';
import type { FailureRecord } from '../../machines/provision.types.ts';

/** What a page shows of one actor's run; plain data without secrets, from files or from a chart that runs. */
export interface RunView {
  /** Which of the charts. */
  readonly chart: ChartName;
  readonly runId: string | null;
  /** The state that the chart is in, or ended in; null: nothing is known. */
  readonly state: string | null;
  readonly outcome: Outcome;
  /** One sentence on how things stand. */
  readonly summary: string;
  /** What to do next; empty: nothing. */
  readonly next: string;
  /** The command to type then; empty: none. */
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

/** `waiting`: unfinished, and nobody known to be at work. */
export type Outcome = 'none' | 'running' | 'waiting' | 'done' | 'attention' | 'failed';

export interface StepView {
  readonly state: string;
  /** ISO 8601, UTC. */
  readonly enteredAt: string;
  /** Milliseconds; null: it lasts, or was cut by an interruption. */
  readonly durationMs: number | null;
  /** Which time in this state, from 1. */
  readonly attempt: number;
  readonly resumed: boolean;
  /** What there is to say about this step: why it was repeated, say. */
  readonly note: string;
}

export interface EventView {
  /** ISO 8601, UTC. */
  readonly time: string;
  readonly level: 'error' | 'warn' | 'info' | 'debug';
  readonly name: string;
  readonly text: string;
}

/** How a run stands that is, or was last seen, in this state. @param alive whether somebody is at work */
export function outcomeOf(state: string | null, alive: boolean): Outcome {
  if (state === null) return 'none';
  // The only final state of normal operation (machines/telemetry.machine.ts).
  if (state === 'stopped') return 'done';
  if (isProvisionState(state) && isFinalState(state)) return STATES[state].outcome;
  return alive ? 'running' : 'waiting';
}

/** A time for people: `2026-11-23 11:51:44 UTC`. @param iso ISO 8601, UTC */
export const formatTime = (iso: string): string => `${iso.slice(0, 19).replace('T', ' ')} UTC`;
