/** Why a request is not done. It is the answer's `error`. */
export interface Refusal {
  readonly reason: 'malformed' | 'unknown method' | 'not allowed' | 'not possible' | 'too late';
  /** A failure code (docs/failures.md), if the refusal has one. */
  readonly code?: string;
  readonly message: string;
  /** What to do about it. */
  readonly hint: string;
}

export interface RpcResult {
  /** The answer: JSON. */
  readonly answer: string;
  /** Why the method did nothing; absent: it was done. */
  readonly refusal?: Refusal;
  /** Whether normal operation must end after the answer, so that a new run can start. */
  readonly ends?: boolean;
}

/** The methods that the server can call (ThingsBoard's server-side RPC), by name. No method reads the parameters. */
export type RpcMethods = Readonly<Record<string, () => Promise<RpcResult>>>;

/** The answer of a method that does nothing. */
export const refused = (refusal: Refusal): RpcResult => ({ answer: JSON.stringify({ error: refusal }), refusal });
