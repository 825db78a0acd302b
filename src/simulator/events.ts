/** The simulator's events, emitted synchronously, e.g. to kill an agent at an exact moment. They hold no secrets. */

import type { Fault } from './faults.ts';
import type { Decision } from './provisioningStrategy.ts';

export type EventBody =
  | { readonly type: 'connect'; readonly kind: 'provision' | 'device' }
  /** CONNACK was written to the socket; `device` is the authenticated device. */
  | { readonly type: 'connack'; readonly code: number; readonly device?: string }
  | { readonly type: 'subscribe'; readonly filter: string; readonly granted: boolean }
  /** A provisioning request arrived, the nth since the simulator started; nothing is done yet. */
  | { readonly type: 'request'; readonly nth: number; readonly deviceName?: string }
  /** SUCCESS is stored, durably if there is a registry file; the answer is not sent yet. */
  | { readonly type: 'commit'; readonly deviceName: string; readonly created: boolean }
  /** PUBACK and response were written to the socket. */
  | { readonly type: 'answer'; readonly status: Decision['status']; readonly reason?: string }
  | { readonly type: 'attributeRequest' | 'attributes' | 'telemetry'; readonly device: string }
  | { readonly type: 'rpcResponse'; readonly device: string; readonly id: string; readonly payload: string }
  | { readonly type: 'fault'; readonly on: Fault['on']; readonly nth: number; readonly action: Fault['action'] }
  | { readonly type: 'backEndError'; readonly message: string }
  | { readonly type: 'close'; readonly by: 'server' | 'client'; readonly why: string };

/** `session` is the number of the connection from 1; 0 for an event without a connection. */
export type SimulatorEvent = EventBody & { readonly session: number };
