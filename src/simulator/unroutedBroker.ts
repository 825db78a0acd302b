/**
 * The two back ends aedes asks for, reduced to what ThingsBoard's transport is: no message goes from one client to
 * another, nothing is retained, no will is published, no session outlives its connection.
 */

import { Readable } from 'node:stream';

/** Filter of the subscription a session is said to have had; subscribing to it is always refused. */
export const NO_FILTER = 'none';

type Done = () => void;

/** A message emitter that delivers nothing. */
export const unroutedEmitter = {
  on(_topic: string, _listener: unknown, done?: Done): void {
    done?.();
  },
  removeListener(_topic: string, _listener: unknown, done?: Done): void {
    done?.();
  },
  emit(_packet: unknown, done?: Done): void {
    done?.();
  },
  close(done?: Done): void {
    done?.();
  },
};

interface SessionFacts {
  /** Whether CONNACK says “session present”. */
  sessionPresent(clientId: string): boolean;
  /** Whether UNSUBSCRIBE is answered at all. */
  acknowledgesUnsubscribe(clientId: string): boolean;
}

interface StoredPacket {
  readonly messageId?: number;
}

/** A persistence that keeps nothing. aedes asks it, of all places, about “session present” and before UNSUBACK. */
export class UnkeptSessions {
  readonly #facts: SessionFacts;

  constructor(facts: SessionFacts) {
    this.#facts = facts;
  }

  async setup(): Promise<void> {}

  // Restoring a subscription is the only way to make aedes say “session present”; NO_FILTER is then refused.
  async subscriptionsByClient({ id }: { readonly id: string }): Promise<{ topic: string; qos: 0 }[]> {
    return this.#facts.sessionPresent(id) ? [{ topic: NO_FILTER, qos: 0 }] : [];
  }

  removeSubscriptions({ id }: { readonly id: string }): Promise<void> {
    return this.#facts.acknowledgesUnsubscribe(id) ? Promise.resolve() : new Promise(() => {});
  }

  async addSubscriptions(): Promise<void> {}
  async cleanSubscriptions(): Promise<void> {}
  async subscriptionsByTopic(): Promise<never[]> {
    return [];
  }

  async storeRetained(): Promise<void> {}
  createRetainedStreamCombi(): Readable {
    return Readable.from([]);
  }

  async outgoingEnqueue(): Promise<void> {}
  async outgoingEnqueueCombi(): Promise<void> {}
  async outgoingUpdate(): Promise<void> {}
  async outgoingClearMessageId(): Promise<void> {}
  outgoingStream(): Readable {
    return Readable.from([]);
  }

  async incomingStorePacket(): Promise<void> {}
  // A rejection is how aedes learns that the packet is new, that is, no repetition.
  async incomingGetPacket(_client: unknown, { messageId }: StoredPacket): Promise<never> {
    throw new Error(`no packet ${messageId ?? ''}`);
  }
  async incomingDelPacket(): Promise<void> {}
  async cleanIncoming(): Promise<void> {}

  async putWill(): Promise<void> {}
  async delWill(): Promise<void> {}
  streamWill(): Readable {
    return Readable.from([]);
  }
}
