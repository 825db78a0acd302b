import type { Socket } from 'node:net';
import type { Client } from 'aedes';
import type { ConnectIdentity } from './deviceAuthentication.ts';
import type { Message } from './serverContext.ts';
import { Timers } from './timers.ts';

/** Time for a closing connection to send its pending bytes before the socket is destroyed. */
const LINGER_MS = 1000;

/** The content of CONNECT before it was rewritten for aedes. */
export interface ConnectFacts {
  readonly identity: ConnectIdentity;
  readonly clean: boolean;
}

/** One connection of a client. */
export class Session {
  /** Number of the connection, counted from 1. */
  readonly id: number;
  readonly client: Client;
  readonly socket: Socket;
  readonly timers = new Timers();
  /** Resolves when CONNACK 0 was written to the socket. */
  readonly opened: Promise<void>;
  /** Accepted topic filters and their QoS. */
  readonly subscriptions = new Map<string, 0 | 1>();
  connect: ConnectFacts | undefined;
  /** Name of the session's device; undefined in a provisioning session. */
  device: string | undefined;
  #open: () => void = () => {};
  #closeReason: string | undefined;

  constructor(id: number, client: Client, socket: Socket) {
    this.id = id;
    this.client = client;
    this.socket = socket;
    this.opened = new Promise((resolve) => {
      this.#open = resolve;
    });
  }

  /** The client id for aedes. It is unique, because ThingsBoard accepts several sessions with the same client id. */
  get uniqueClientId(): string {
    return `session-${this.id}`;
  }

  open(): void {
    this.#open();
  }

  /** Why the server closes or closed the session; undefined if it does not. */
  get closeReason(): string | undefined {
    return this.#closeReason;
  }

  get usable(): boolean {
    return this.#closeReason === undefined && !this.socket.destroyed;
  }

  /** Closes the connection after all written bytes are sent. */
  close(why: string): void {
    if (!this.usable) return;
    this.#closeReason = why;
    this.socket.end(() => this.client.close());
    this.timers.after(LINGER_MS, () => this.socket.destroy());
  }

  /** Sends to this client with QoS 1, or as subscribed. Resolves when the message is written to the socket. */
  publish({ topic, payload }: Message): Promise<void> {
    const packet = { cmd: 'publish', topic, payload: Buffer.from(payload), dup: false, retain: false } as const;
    return new Promise((resolve) => {
      // An error means that the connection has ended. The close event handles that.
      this.client.publish({ ...packet, qos: this.#qosOf(topic) }, () => resolve());
    });
  }

  #qosOf(topic: string): 0 | 1 {
    const parent = `${topic.slice(0, topic.lastIndexOf('/'))}/+`;
    return this.subscriptions.get(topic) ?? this.subscriptions.get(parent) ?? 1;
  }
}
