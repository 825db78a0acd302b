/** The two calls of REST that send a request to a device: `/api/rpc/twoway/{id}` and `/api/rpc/oneway/{id}`. */

import * as z from 'zod/mini';
import type { Registry } from './registry.ts';
import type { RestCall } from './restCalls.ts';
import { invalid, notFound } from './restRefusal.ts';
import type { ServerRpc } from './serverRpc.ts';

/** ThingsBoard's defaults. */
const DEFAULT_TIMEOUT_MS = 10_000;
const MIN_TIMEOUT_MS = 5_000;
const MAX_TIMEOUT_MS = 600_000;
const NO_ANSWER = 504;
const NOT_JSON = 406;

const PATH = /^\/api\/rpc\/(?<way>oneway|twoway)\/(?<id>[0-9a-f-]{36})$/;
const requestSchema = z.object({ method: z.string(), params: z.unknown(), timeout: z.optional(z.number()) });

export interface RpcReply {
  readonly status: number;
  /** Undefined: an empty answer. */
  readonly body: unknown;
}

export interface RpcContext {
  readonly registry: Registry;
  readonly rpc: ServerRpc;
  /** The shortest time for an answer. Default: ThingsBoard's, 5 seconds. */
  readonly minTimeoutMs?: number | undefined;
}

/**
 * Answers an authorised call.
 * @returns undefined: the call is another one
 * @throws RestRefusal
 */
export async function answerRpc({ registry, rpc, minTimeoutMs = MIN_TIMEOUT_MS }: RpcContext, call: RestCall) {
  const { way, id } = PATH.exec(call.path)?.groups ?? {};
  if (call.method !== 'POST' || id === undefined) return undefined;
  const device = registry.findById(id);
  if (device === undefined) throw notFound(`Device with id [${id}] is not found`);
  const given = requestSchema.safeParse(call.body);
  if (!given.success) throw invalid('Invalid request body');
  const { method, params = null, timeout = DEFAULT_TIMEOUT_MS } = given.data;
  const timeoutMs = Math.min(Math.max(timeout, minTimeoutMs), MAX_TIMEOUT_MS);
  return replyOf(await rpc.call(device.name, { method, params, oneWay: way === 'oneway', timeoutMs }));
}

function replyOf(answer: string | undefined): RpcReply {
  if (answer === undefined) return { status: NO_ANSWER, body: undefined };
  if (answer === '') return { status: 200, body: undefined };
  try {
    return { status: 200, body: JSON.parse(answer) };
  } catch {
    return { status: NOT_JSON, body: undefined };
  }
}
