/** How a process of the agent is steered by the module that is loaded before it (steeredAgent.ts). */

/** A line of the agent's JSON log. Absent: any; `nth` counts the lines that fit, from 1 (default). */
export interface LinePattern {
  /** The how-manieth line of the log, from 1. */
  readonly line?: number;
  readonly event?: string;
  readonly state?: string;
  readonly nth?: number;
}

/** Where the process ends itself by SIGKILL. */
export type Kill =
  /** The moment the line is written. */
  | { readonly at: 'line'; readonly where: LinePattern }
  /** The line enters a state: its effect is held up until the snapshot of that state is on disk; then. */
  | { readonly at: 'held'; readonly where: LinePattern }
  /** Before, or after, the snapshot of a final state replaces the one before. */
  | { readonly at: 'saving' | 'saved'; readonly state: string };

/** What another program or an operator does, the moment a line is written. */
export type Act =
  | { readonly do: 'write'; readonly path: string; readonly text: string }
  | { readonly do: 'remove'; readonly path: string }
  | { readonly do: 'setMode'; readonly path: string; readonly mode: number };

export interface Steering {
  readonly kill?: Kill;
  readonly acts?: readonly { readonly where: LinePattern; readonly act: Act }[];
  /** Time runs that many times faster… */
  readonly speed: number;
  /** …since then, ms since the epoch: the same for all processes of a trial, whose clocks so never go back. */
  readonly speedSince: number;
  /** Instead of the run's time limit of nine minutes, ms of real time. */
  readonly runLimitMs?: number;
  /** States that end a run. */
  readonly finalStates: readonly string[];
}
