/** A message to a client. */
export interface Message {
  readonly topic: string;
  readonly payload: Uint8Array;
}
