/** How steeredAgent.ts, which is loaded before the agent, controls the agent's process. */

/** A line of the agent's JSON log. Absent fields match any value; `nth` counts the matching lines, from 1 (default). */
export interface LinePattern {
  /** The number of the line in the log, from 1. */
  readonly line?: number;
  readonly event?: string;
  readonly state?: string;
  readonly nth?: number;
}

/** The moment at which the process kills itself by SIGKILL. */
export type Kill =
  /** When the line is written. */
  | { readonly at: 'line'; readonly where: LinePattern }
  /** The line enters a state: its effect is held until the state's snapshot is on disk, then the process is killed. */
  | { readonly at: 'held'; readonly where: LinePattern }
  /** Before or after the snapshot of a final state replaces the previous one. */
  | { readonly at: 'saving' | 'saved'; readonly state: string };

/** An action of another program or an operator when a line is written. */
export type Act =
  | { readonly do: 'write'; readonly path: string; readonly text: string }
  | { readonly do: 'remove'; readonly path: string }
  | { readonly do: 'setMode'; readonly path: string; readonly mode: number };

export interface Steering {
  readonly kill?: Kill;
  readonly acts?: readonly { readonly where: LinePattern; readonly act: Act }[];
  /** Factor by which time runs faster. */
  readonly speed: number;
  /** Start of the fast time, ms since the epoch. All processes of a trial share it, so that clocks never go back. */
  readonly speedSince: number;
  /** Replaces the run's time limit of nine minutes, ms of real time. */
  readonly runLimitMs?: number;
  /** The chart's final states. */
  readonly finalStates: readonly string[];
}
