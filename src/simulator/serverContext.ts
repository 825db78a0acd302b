import type { EventBody } from './events.ts';
import type { FaultScript } from './faults.ts';
import type { ProvisioningProfile } from './provisioningStrategy.ts';
import type { Registry } from './registry.ts';
import type { Timers } from './timers.ts';

/** Times in milliseconds, and behaviour that depends on the server's version. */
export interface ServerTimes {
  /** Delay of PUBACK and answer. */
  readonly latencyMs: number;
  /** From the arrival of a provisioning request to its commit, which happens even if the client has disconnected. */
  readonly commitDelayMs: number;
  /** How long the server is silent when its back end fails. */
  readonly backEndTimeoutMs: number;
  /** From the response until the server closes the provisioning session. */
  readonly provisionSessionCloseMs: number;
  /** v3.2 to v3.8.1: no SUBACK and no UNSUBACK in the provisioning session. */
  readonly legacySuback: boolean;
}

/** The state that all sessions share. */
export interface ServerContext {
  readonly registry: Registry;
  readonly profile: ProvisioningProfile;
  readonly faults: FaultScript;
  readonly times: ServerTimes;
  readonly timers: Timers;
  /** Resolves when everything committed so far would survive a restart of the simulator. */
  durable(): Promise<void>;
  emit(session: number, event: EventBody): void;
}

export interface Message {
  readonly topic: string;
  readonly payload: Uint8Array;
}

/** The server's reaction to one PUBLISH of a client. */
export interface Reply {
  readonly puback: boolean;
  /** Sent in this order, after the PUBACK. */
  readonly messages?: readonly Message[];
  /** Close the connection after the messages, for this reason. */
  readonly close?: string;
  /** Delay of the close in milliseconds; absent: close at once. */
  readonly closeAfterMs?: number;
  /** Event to emit when everything was written to the socket. */
  readonly sent?: EventBody;
}

export const PUBACK: Reply = { puback: true };
export const closeUnacknowledged = (why: string): Reply => ({ puback: false, close: why });
