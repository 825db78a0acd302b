/**
 * The two back ends that aedes needs, reduced to ThingsBoard's behaviour: no message is routed between clients, nothing
 * is retained, no will is published, and no session outlives its connection.
 */

import { Readable } from 'node:stream';

/** Topic filter of a subscription that is reported as restored. Subscribing to it is always refused. */
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
  /** Whether CONNACK says "session present". */
  sessionPresent(clientId: string): boolean;
  /** Whether UNSUBSCRIBE is answered. */
  acknowledgesUnsubscribe(clientId: string): boolean;
}

interface StoredPacket {
  readonly messageId?: number;
}

/** A persistence that stores nothing. aedes also asks it about "session present" and before UNSUBACK. */
export class EmptyPersistence {
  readonly #facts: SessionFacts;

  constructor(facts: SessionFacts) {
    this.#facts = facts;
  }

  async setup(): Promise<void> {}

  // A restored subscription is the only way to make aedes report "session present". NO_FILTER is then refused.
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
  // The rejection tells aedes that the packet is new and not repeated.
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
