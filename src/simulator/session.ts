import type { Socket } from 'node:net';
import type { Client } from 'aedes';
import type { ConnectIdentity } from './deviceAuthentication.ts';
import type { Message } from './serverContext.ts';
import { Timers } from './timers.ts';

/** How long a closed connection may take to send what is left before it is cut. */
const LINGER_MS = 1000;

/** What the CONNECT said, before it was rewritten for aedes. */
export interface ConnectFacts {
  readonly identity: ConnectIdentity;
  readonly clean: boolean;
}

/** One connection of a client. */
export class Session {
  /** Numbers the connections of a simulator from 1. */
  readonly id: number;
  readonly client: Client;
  readonly socket: Socket;
  readonly timers = new Timers();
  /** Settles when CONNACK 0 was handed to the socket. */
  readonly opened: Promise<void>;
  /** Granted filters and their QoS. */
  readonly subscriptions = new Map<string, 0 | 1>();
  connect: ConnectFacts | undefined;
  /** The name of the device whose session this is; undefined in a provisioning session. */
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

  /** The client id under which aedes knows it: unique, because ThingsBoard lets equal ones live side by side. */
  get uniqueClientId(): string {
    return `session-${this.id}`;
  }

  open(): void {
    this.#open();
  }

  /** Why the server closes or has closed it; undefined while the server does not. */
  get closeReason(): string | undefined {
    return this.#closeReason;
  }

  get usable(): boolean {
    return this.#closeReason === undefined && !this.socket.destroyed;
  }

  /** Closes the connection when everything already written has left. */
  close(why: string): void {
    if (!this.usable) return;
    this.#closeReason = why;
    this.socket.end(() => this.client.close());
    this.timers.after(LINGER_MS, () => this.socket.destroy());
  }

  /** Sends to this client alone, at QoS 1 unless it has subscribed with 0; settles when handed to the socket. */
  publish({ topic, payload }: Message): Promise<void> {
    const packet = { cmd: 'publish', topic, payload: Buffer.from(payload), dup: false, retain: false } as const;
    return new Promise((resolve) => {
      // An error means that the connection has ended, which its close event tells better.
      this.client.publish({ ...packet, qos: this.#qosOf(topic) }, () => resolve());
    });
  }

  #qosOf(topic: string): 0 | 1 {
    const parent = `${topic.slice(0, topic.lastIndexOf('/'))}/+`;
    return this.subscriptions.get(topic) ?? this.subscriptions.get(parent) ?? 1;
  }
}
