/** The server's requests to devices (docs/thingsboard.md, section 5), from a test or from REST. */

import type { Message } from './message.ts';
import type { Timers } from './timers.ts';

export const RPC_REQUEST = 'v1/devices/me/rpc/request/';
export const RPC_FILTER = `${RPC_REQUEST}+`;

/** `undefined`: nothing came in time. Otherwise the text of the device, which is empty for a one-way request. */
export type RpcAnswer = string | undefined;

interface Pending {
  readonly device: string;
  readonly message: Message;
  /** Whether the request is done when the device has it. */
  readonly oneWay: boolean;
  readonly settle: (answer: RpcAnswer) => void;
}

export interface RpcRequest {
  readonly method: string;
  readonly params: unknown;
  readonly oneWay: boolean;
  readonly timeoutMs: number;
}

export class ServerRpc {
  readonly #push: (device: string, message: Message) => boolean;
  readonly #timers: Timers;
  readonly #pending = new Map<number, Pending>();
  #last = 0;

  /** @param push sends to a device; false if it is not connected and subscribed */
  constructor(push: (device: string, message: Message) => boolean, timers: Timers) {
    this.#push = push;
    this.#timers = timers;
  }

  /** Sends a request and forgets it. Returns its id, or undefined if the device is not connected and subscribed. */
  send(device: string, method: string, params: unknown): number | undefined {
    const id = this.#last + 1;
    if (!this.#push(device, messageOf(id, method, params))) return undefined;
    this.#last = id;
    return id;
  }

  /** Sends a request, at once or when the device subscribes, and waits for its answer. */
  call(device: string, { method, params, oneWay, timeoutMs }: RpcRequest): Promise<RpcAnswer> {
    this.#last += 1;
    const id = this.#last;
    return new Promise((resolve) => {
      const settle = (answer: RpcAnswer): void => {
        this.#pending.delete(id);
        resolve(answer);
      };
      const pending = { device, message: messageOf(id, method, params), oneWay, settle };
      this.#pending.set(id, pending);
      this.#timers.after(timeoutMs, () => settle(undefined));
      this.#deliver(pending);
    });
  }

  /** A device has subscribed: it gets every request that it has not answered, also one that it has got before. */
  subscribed(device: string): void {
    for (const pending of this.#pending.values()) if (pending.device === device) this.#deliver(pending);
  }

  /** A device has answered. */
  answered(device: string, id: number, answer: string): void {
    const pending = this.#pending.get(id);
    if (pending?.device === device) pending.settle(answer);
  }

  #deliver({ device, message, oneWay, settle }: Pending): void {
    if (this.#push(device, message) && oneWay) settle('');
  }
}

const messageOf = (id: number, method: string, params: unknown): Message => ({
  topic: `${RPC_REQUEST}${id}`,
  payload: Buffer.from(JSON.stringify({ method, params })),
});
