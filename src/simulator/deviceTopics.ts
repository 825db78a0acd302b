/** The session of a device: topics, telemetry and attributes (docs/thingsboard.md, sections 5 and 6). */

import { replyWithFault } from './faultyReply.ts';
import type { JsonObject } from './jsonPayload.ts';
import { parseJson, parseObject } from './jsonPayload.ts';
import type { Attributes } from './registry.ts';
import type { Reply, ServerContext } from './serverContext.ts';
import { closeUnacknowledged, PUBACK } from './serverContext.ts';
import { isAttributes, isNeverAcknowledged, isTelemetry } from './telemetryPayload.ts';

const TELEMETRY = 'v1/devices/me/telemetry';
export const ATTRIBUTES = 'v1/devices/me/attributes';
const ATTRIBUTES_REQUEST = 'v1/devices/me/attributes/request/';
const ATTRIBUTES_RESPONSE = 'v1/devices/me/attributes/response/';
export const RPC_REQUEST = 'v1/devices/me/rpc/request/';
const RPC_RESPONSE = 'v1/devices/me/rpc/response/';

const FILTERS: ReadonlySet<string> = new Set([
  ATTRIBUTES,
  `${ATTRIBUTES_RESPONSE}+`,
  `${RPC_REQUEST}+`,
  `${RPC_RESPONSE}+`,
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
    context.registry.count('rpcResponses');
    const id = topic.slice(RPC_RESPONSE.length);
    context.emit(session, { type: 'rpcResponse', device, id, payload: payload.toString('utf8') });
  }
  return PUBACK;
}

function storeTelemetry(context: ServerContext, session: number, device: string, payload: Buffer): Reply {
  const message = parseJson(payload);
  if (!isTelemetry(message)) return closeUnacknowledged('bad telemetry');
  context.registry.count('telemetryMessages');
  if (isNeverAcknowledged(message)) return { puback: false };
  context.registry.storeTelemetry(device, message);
  context.emit(session, { type: 'telemetry', device });
  return PUBACK;
}

function storeAttributes(context: ServerContext, session: number, device: string, payload: Buffer): Reply {
  const attributes = parseObject(payload);
  if (!isAttributes(attributes)) return closeUnacknowledged('bad attributes');
  context.registry.count('attributeMessages');
  context.registry.storeAttributes(device, attributes);
  context.emit(session, { type: 'attributes', device });
  return PUBACK;
}

function answerAttributes(context: ServerContext, session: number, device: string, id: string, payload: Buffer): Reply {
  const request = parseObject(payload);
  if (request === undefined || !/^\d+$/.test(id)) return closeUnacknowledged('bad attribute request');
  context.registry.count('attributeRequests');
  context.emit(session, { type: 'attributeRequest', device });
  const answer = requestedAttributes(
    request,
    context.registry.attributes(device),
    context.registry.sharedAttributes(device),
  );
  return {
    puback: true,
    messages: [{ topic: `${ATTRIBUTES_RESPONSE}${id}`, payload: Buffer.from(JSON.stringify(answer)) }],
  };
}

/** `{"client":{…},"shared":{…}}` without empty sections. All attributes when the request names no keys. */
function requestedAttributes(request: JsonObject, client: Attributes, shared: Attributes): JsonObject {
  const { clientKeys, sharedKeys } = request;
  const everything = typeof clientKeys !== 'string' && typeof sharedKeys !== 'string';
  return {
    ...section('client', everything ? client : pick(client, clientKeys)),
    ...section('shared', everything ? shared : pick(shared, sharedKeys)),
  };
}

function pick(attributes: Attributes, keys: unknown): Attributes {
  const wanted = new Set(typeof keys === 'string' ? keys.split(',') : []);
  return Object.fromEntries(Object.entries(attributes).filter(([key]) => wanted.has(key)));
}

const section = (name: 'client' | 'shared', attributes: Attributes): JsonObject =>
  Object.keys(attributes).length === 0 ? {} : { [name]: attributes };
