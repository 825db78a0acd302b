/** What the simulator tells as it happens, synchronously, e.g. to end an agent at an exact moment. No secrets. */

import type { Fault } from './faults.ts';
import type { Decision } from './provisioningStrategy.ts';

export type EventBody =
  | { readonly type: 'connect'; readonly kind: 'provision' | 'device' }
  /** CONNACK was handed to the socket; `device` is the device that it was accepted as. */
  | { readonly type: 'connack'; readonly code: number; readonly device?: string }
  | { readonly type: 'subscribe'; readonly filter: string; readonly granted: boolean }
  /** A provisioning request has arrived, the nth of this simulator's life; nothing is done yet. */
  | { readonly type: 'request'; readonly nth: number; readonly deviceName?: string }
  /** SUCCESS is stored, durably if there is a registry file; the answer has not left. */
  | { readonly type: 'commit'; readonly deviceName: string; readonly created: boolean }
  /** PUBACK and response were handed to the socket. */
  | { readonly type: 'answer'; readonly status: Decision['status']; readonly reason?: string }
  | { readonly type: 'attributeRequest' | 'attributes' | 'telemetry'; readonly device: string }
  | { readonly type: 'rpcResponse'; readonly device: string; readonly id: string; readonly payload: string }
  | { readonly type: 'fault'; readonly on: Fault['on']; readonly nth: number; readonly action: Fault['action'] }
  | { readonly type: 'backEndError'; readonly message: string }
  | { readonly type: 'close'; readonly by: 'server' | 'client'; readonly why: string };

/** `session` numbers the connections from 1; 0 for what belongs to none. */
export type SimulatorEvent = EventBody & { readonly session: number };
