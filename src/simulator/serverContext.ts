import type { EventBody } from './events.ts';
import type { FaultScript } from './faults.ts';
import type { Message } from './message.ts';
import type { RateLimiter } from './rateLimit.ts';
import type { Registry } from './registry.ts';
import type { Release } from './release.ts';
import { PAYLOAD_FORMAT_INVALID, TOPIC_NAME_INVALID } from './returnCodes.ts';
import type { ServerRpc } from './serverRpc.ts';
import type { Timers } from './timers.ts';

/** Times in milliseconds. */
export interface ServerTimes {
  /** Delay of PUBACK and answer. */
  readonly latencyMs: number;
  /** From the arrival of a provisioning request to its commit, which happens even if the client has disconnected. */
  readonly commitDelayMs: number;
  /** From a CONNECT to its refusal when the back end fails. */
  readonly connectTimeoutMs: number;
  /** How long the server is silent after a request when its back end fails. */
  readonly backEndTimeoutMs: number;
  /** From the response until the server closes the provisioning session. */
  readonly provisionSessionCloseMs: number;
}

/** The state that all sessions share. */
export interface ServerContext {
  readonly registry: Registry;
  /** The tenant's device limit. */
  readonly deviceLimit: number;
  readonly release: Release;
  /** Counts the messages of all devices. */
  readonly messages: RateLimiter;
  readonly faults: FaultScript;
  readonly times: ServerTimes;
  readonly timers: Timers;
  readonly rpc: ServerRpc;
  /** Resolves when everything committed so far would survive a restart of the simulator. */
  durable(): Promise<void>;
  emit(session: number, event: EventBody): void;
}

/** The server's reaction to one PUBLISH of a client. */
export interface Reply {
  readonly puback: boolean;
  /** For a client of MQTT 5: PUBACK with this code instead of everything else. */
  readonly reasonCode?: number;
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
/** The payload can't be read. */
export const badPayload = (why: string): Reply => ({ puback: false, close: why, reasonCode: PAYLOAD_FORMAT_INVALID });
/** A topic that is not allowed while provisioning. */
export const badTopic = (why: string): Reply => ({ puback: true, close: why, reasonCode: TOPIC_NAME_INVALID });
export const closeUnacknowledged = (why: string): Reply => ({ puback: false, close: why });
