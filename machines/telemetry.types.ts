/** Types of the chart of normal operation: context, events, results of effects. Nothing here may hold a secret. */

/** Why a connection or a publication failed. `code` is one of src/failures/catalogue.ts. */
export interface TelemetryFailure {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
}

export interface TelemetryInput {
  /** Factor for the pauses of this process, 0.5 to 1. It spreads a fleet after the server restarts. */
  readonly spread: number;
}

export interface TelemetryContext {
  readonly spread: number;
  /** Milliseconds from the start of one publication to the start of the next. Each connection sets it again. */
  readonly intervalMs: number;
  /** Duration of the latest publication in milliseconds. */
  readonly elapsedMs: number;
  /** Failures since the last connection that lasted a minute. */
  readonly failuresInARow: number;
  readonly connections: number;
  /** Messages published since the start. */
  readonly messages: number;
  readonly lastFailure: TelemetryFailure | null;
  /** Whether normal operation ends because the server asked for a new device, not because it was stopped. */
  readonly runRequested: boolean;
}

export type TelemetryEvent = { readonly type: 'STOP' };

/** Result of `connect`. */
export interface OpenConnection {
  /** Host and port, for the log. */
  readonly server: string;
  readonly deviceId: string;
  readonly intervalMs: number;
}

/** Result of one round of measuring and publishing. */
export interface Publication {
  /** Messages that were published. */
  readonly messages: number;
  readonly elapsedMs: number;
}
