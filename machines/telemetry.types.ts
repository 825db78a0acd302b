/** What the chart of normal operation remembers and exchanges with its effects. Nothing here may hold a secret. */

/** Why a connection or a publication failed; `code` is one of src/failures/catalogue.ts. */
export interface TelemetryFailure {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
}

export interface TelemetryInput {
  /** This process's factor for the delays between attempts, 0.5 to 1: spreads a fleet after a server's restart. */
  readonly spread: number;
}

export interface TelemetryContext {
  readonly spread: number;
  /** Milliseconds from the start of one publication to the start of the next; each connection brings its own. */
  readonly intervalMs: number;
  /** Milliseconds that the latest publication took. */
  readonly elapsedMs: number;
  /** Failures since the last connection that lasted. */
  readonly failuresInARow: number;
  readonly connections: number;
  /** Messages published since the start. */
  readonly messages: number;
  readonly lastFailure: TelemetryFailure | null;
}

export type TelemetryEvent = { readonly type: 'STOP' };

/** What `connect` tells of an open session. */
export interface OpenConnection {
  /** Host and port, for the log. */
  readonly server: string;
  readonly deviceId: string;
  readonly intervalMs: number;
}

/** What one round of measuring and publishing came to. */
export interface Publication {
  /** How many messages the server took. */
  readonly messages: number;
  readonly elapsedMs: number;
}
