/** Calls of `exchange`, and the resources that they still hold. */

import { createHook } from 'node:async_hooks';
import { expect } from 'vitest';
import type { ServerEndpoint } from '../../src/endpoint.ts';
import { Failure } from '../../src/failures/failure.ts';
import { type ExchangeEnd, type ExchangeOptions, exchange } from '../../src/thingsboard/exchange.ts';
import { wait } from '../simulator/mqttClients.ts';

export const QUESTION_TOPIC = '/provision/request';
export const ANSWER_TOPIC = '/provision/response';

export const plainServer = (port: number, host = '127.0.0.1'): ServerEndpoint => ({ host, port, useSsl: false });
export const tlsServer = (port: number, ca?: string, host = '127.0.0.1'): ServerEndpoint => ({
  host,
  port,
  useSsl: true,
  ca: { pem: ca, from: 'the test', unused: '' },
});

type Changes = Partial<Omit<ExchangeOptions, 'server'>>;

/** Sends a question as the provisioning effect does. Only a silent server reaches these generous limits. */
export function ask(server: ServerEndpoint, changes: Changes = {}): Promise<ExchangeEnd> {
  return exchange({
    server,
    clientId: 'camera-1',
    username: 'provision',
    question: { topic: QUESTION_TOPIC, payload: '{"question":1}', answerTopic: ANSWER_TOPIC, subscribe: true },
    timeoutMs: 5000,
    signal: new AbortController().signal,
    ...changes,
  });
}

/** The facts of an ending that callers decide by. */
export function summaryOf(end: ExchangeEnd): Record<string, unknown> {
  switch (end.kind) {
    case 'answer':
      return { kind: end.kind, text: end.payload.toString() };
    case 'refused':
      return { ...end };
    case 'failed':
      return { kind: end.kind, code: end.failure.code, asked: end.asked };
  }
}

/** The failure that an exchange ended with. */
export function failureIn(end: ExchangeEnd): Failure {
  if (end.kind !== 'failed') throw new Error(`expected a failure, not ${end.kind}`);
  expect(end.failure).toBeInstanceOf(Failure);
  return end.failure;
}

/** The stack of each pending timer's creation. */
const pending = new Map<number, string>();
createHook({
  init(id, type) {
    if (type === 'Timeout') pending.set(id, String(new Error('set here').stack));
  },
  destroy(id) {
    pending.delete(id);
  },
}).enable();

/** Pending timers of src/thingsboard and of MQTT.js. */
function pendingTimers(): string[] {
  return [...pending.values()].filter((stack) => /\/src\/thingsboard\/|\/node_modules\/mqtt\//.test(stack));
}

const HELD = ['TCPSocketWrap', 'TLSWrap', 'TCPConnectWrap', 'GetAddrInfoReqWrap'];
/** Far below the time limits of `ask`: a forgotten timer must still be pending after it. */
const RELEASE_MS = 2000;

/** The sockets and look-ups that keep this process alive. */
export const heldResources = (): string[] => process.getActiveResourcesInfo().filter((name) => HELD.includes(name));

/** Waits until no additional socket or look-up and no timer of an exchange is left. */
export async function releasedTo(before: readonly string[]): Promise<void> {
  const deadline = Date.now() + RELEASE_MS;
  const surplus = (): string[] => {
    const held = heldResources();
    return [...HELD.filter((kind) => count(held, kind) > count(before, kind)), ...pendingTimers()];
  };
  while (surplus().length > 0 && Date.now() < deadline) await wait(5);
  expect(surplus()).toEqual([]);
}

const count = (kinds: readonly string[], kind: string): number => kinds.filter((one) => one === kind).length;
