import type { EventBody } from './events.ts';
import type { FaultScript } from './faults.ts';
import type { ProvisioningProfile } from './provisioningStrategy.ts';
import type { Registry } from './registry.ts';
import type { Timers } from './timers.ts';

/** Times, in milliseconds, and the server's version where behaviour depends on it. */
export interface ServerTimes {
  /** How much later than at once PUBACK and answer leave. */
  readonly latencyMs: number;
  /** From the arrival of a provisioning request to its commit, which happens also when the client has gone. */
  readonly commitDelayMs: number;
  /** How long the server is silent when its back end fails. */
  readonly backEndTimeoutMs: number;
  /** From the response to the server's close of the provisioning session. */
  readonly provisionSessionCloseMs: number;
  /** v3.2 to v3.8.1: neither SUBACK nor UNSUBACK in the provisioning session. */
  readonly legacySuback: boolean;
}

/** What the sessions share. */
export interface ServerContext {
  readonly registry: Registry;
  readonly profile: ProvisioningProfile;
  readonly faults: FaultScript;
  readonly times: ServerTimes;
  readonly timers: Timers;
  /** Settles when what was committed so far would survive a restart of the simulator. */
  durable(): Promise<void>;
  emit(session: number, event: EventBody): void;
}

export interface Message {
  readonly topic: string;
  readonly payload: Uint8Array;
}

/** What becomes of one PUBLISH of a client. */
export interface Reply {
  readonly puback: boolean;
  /** Sent after the PUBACK, in this order. */
  readonly messages?: readonly Message[];
  /** Why the connection is closed, after the messages. */
  readonly close?: string;
  /** Close it as many milliseconds later. */
  readonly closeAfterMs?: number;
  /** Told when everything was handed to the socket. */
  readonly sent?: EventBody;
}

export const PUBACK: Reply = { puback: true };
export const closeUnacknowledged = (why: string): Reply => ({ puback: false, close: why });
