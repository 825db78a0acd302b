/** The session of a device: topics, telemetry and attributes (docs/thingsboard.md, sections 5 and 6). */

import { replyWithFault } from './faultyReply.ts';
import type { JsonObject } from './gsonReader.ts';
import { parseJson, parseObject } from './gsonReader.ts';
import { MAX_EARLY_PACKETS, MAX_PACKET_BYTES } from './limits.ts';
import type { Attributes } from './registry.ts';
import type { Reply, ServerContext } from './serverContext.ts';
import { badPayload, closeUnacknowledged, PUBACK } from './serverContext.ts';
import { RPC_REQUEST } from './serverRpc.ts';
import { isNeverAcknowledged, isTelemetry } from './telemetryPayload.ts';

const TELEMETRY = 'v1/devices/me/telemetry';
export const ATTRIBUTES = 'v1/devices/me/attributes';
const ATTRIBUTES_REQUEST = 'v1/devices/me/attributes/request/';
const ATTRIBUTES_RESPONSE = 'v1/devices/me/attributes/response/';
const RPC_RESPONSE = 'v1/devices/me/rpc/response/';
/** Of a device that is not a gateway, the server takes these messages and never acknowledges them. */
const GATEWAY = 'v1/gateway/';

/** Answer to the RPC request `getSessionLimits`. */
const SESSION_LIMITS = {
  maxPayloadSize: MAX_PACKET_BYTES,
  maxInflightMessages: MAX_EARLY_PACKETS,
  rateLimits: { messages: null, telemetryMessages: null, telemetryDataPoints: null },
};

const FILTERS: ReadonlySet<string> = new Set([
  ATTRIBUTES,
  `${ATTRIBUTES_RESPONSE}+`,
  `${RPC_REQUEST}+`,
  `${RPC_RESPONSE}+`,
  // The same in short, and what a gateway subscribes to.
  'v2/a',
  'v2/a/res/+',
  'v2/r/req/+',
  'v2/r/res/+',
  'v1/gateway/attributes',
  'v1/gateway/attributes/response',
  'v1/gateway/rpc',
]);

export const isDeviceFilter = (filter: string): boolean => FILTERS.has(filter);

/** The server's reply to a PUBLISH of a device. */
export async function receiveFromDevice(
  context: ServerContext,
  session: number,
  device: string,
  topic: string,
  payload: Buffer,
): Promise<Reply> {
  if (context.messages.exceeds()) return closeUnacknowledged('the rate limit of the tenant');
  if (topic.startsWith(GATEWAY)) return { puback: false };
  if (topic === TELEMETRY) {
    return replyWithFault(context, context.faults.nextMessage('telemetry'), () =>
      storeTelemetry(context, session, device, payload),
    );
  }
  if (topic === ATTRIBUTES) {
    return replyWithFault(context, context.faults.nextMessage('attributes'), () =>
      storeAttributes(context, session, device, payload),
    );
  }
  if (topic.startsWith(ATTRIBUTES_REQUEST)) {
    return replyWithFault(context, context.faults.nextMessage('attributeRequest'), () =>
      answerAttributes(context, session, device, topic.slice(ATTRIBUTES_REQUEST.length), payload),
    );
  }
  if (topic.startsWith(RPC_RESPONSE)) {
    const id = topic.slice(RPC_RESPONSE.length);
    if (!isInt32(id) || payload.length === 0) return badPayload('bad RPC response');
    context.registry.count('rpcResponses');
    context.emit(session, { type: 'rpcResponse', device, id, payload: payload.toString('utf8') });
    context.rpc.answered(device, Number(id), payload.toString('utf8'));
  }
  if (topic.startsWith(RPC_REQUEST)) return answerClientRpc(topic.slice(RPC_REQUEST.length), payload);
  return PUBACK;
}

function storeTelemetry(context: ServerContext, session: number, device: string, payload: Buffer): Reply {
  const message = parseJson(payload);
  if (!isTelemetry(message)) return badPayload('bad telemetry');
  context.registry.count('telemetryMessages');
  if (isNeverAcknowledged(message)) return { puback: false };
  context.registry.storeTelemetry(device, message);
  context.emit(session, { type: 'telemetry', device });
  return PUBACK;
}

function storeAttributes(context: ServerContext, session: number, device: string, payload: Buffer): Reply {
  const attributes = parseObject(payload);
  if (attributes === undefined) return badPayload('bad attributes');
  context.registry.count('attributeMessages');
  const stored = Object.entries(attributes).filter(([, value]) => value !== null);
  context.registry.storeAttributes(device, Object.fromEntries(stored));
  context.emit(session, { type: 'attributes', device });
  return PUBACK;
}

function answerAttributes(context: ServerContext, session: number, device: string, id: string, payload: Buffer): Reply {
  const request = parseObject(payload);
  const { clientKeys, sharedKeys } = request ?? {};
  if (request === undefined || !isInt32(id) || clientKeys === null || sharedKeys === null) {
    return badPayload('bad attribute request');
  }
  context.registry.count('attributeRequests');
  context.emit(session, { type: 'attributeRequest', device });
  // Two cases that the server accepts but never answers.
  if (Number(id) < 0 || clientKeys === '' || sharedKeys === '') return PUBACK;
  const answer = requestedAttributes(
    request,
    context.registry.attributes(device),
    context.registry.sharedAttributes(device),
  );
  return {
    puback: true,
    messages: [{ topic: `${ATTRIBUTES_RESPONSE}${Number(id)}`, payload: Buffer.from(JSON.stringify(answer)) }],
  };
}

/** An integer of 32 bits, as Java reads it. */
const isInt32 = (text: string): boolean => /^-?\d+$/.test(text) && Number(text) === (Number(text) | 0);

/** `{"client":{…},"shared":{…}}` without empty sections. All attributes when the request names no keys. */
function requestedAttributes(request: JsonObject, client: Attributes, shared: Attributes): JsonObject {
  const { clientKeys, sharedKeys } = request;
  const everything = clientKeys === undefined && sharedKeys === undefined;
  return {
    ...section('client', everything ? client : pick(client, clientKeys)),
    ...section('shared', everything ? shared : pick(shared, sharedKeys)),
  };
}

/** The wanted attributes in the order of their names. */
function pick(attributes: Attributes, keys: unknown): Attributes {
  const wanted = new Set(keys === undefined ? [] : String(keys).split(','));
  return Object.fromEntries(
    Object.entries(attributes)
      .filter(([key]) => wanted.has(key))
      .sort(([one], [other]) => (one < other ? -1 : 1)),
  );
}

const section = (name: 'client' | 'shared', attributes: Attributes): JsonObject =>
  Object.keys(attributes).length === 0 ? {} : { [name]: attributes };

/** A device's own RPC request. Only one method is answered by the transport itself; no rule answers the others. */
function answerClientRpc(id: string, payload: Buffer): Reply {
  const request = parseObject(payload);
  if (request === undefined || !isInt32(id) || !('method' in request) || !('params' in request)) {
    return badPayload('bad RPC request');
  }
  if (request.method !== 'getSessionLimits') return PUBACK;
  return {
    puback: true,
    messages: [{ topic: `${RPC_RESPONSE}${id}`, payload: Buffer.from(JSON.stringify(SESSION_LIMITS)) }],
  };
}
