/** The provisioning session: its topics and its requests (docs/thingsboard.md, sections 1 and 2). */

import { replyWithFault } from './faultyReply.ts';
import type { Decision } from './provisioningStrategy.ts';
import { decide } from './provisioningStrategy.ts';
import type { ParsedRequest, ProvisionRequest } from './provisionRequest.ts';
import { parseProvisionRequest } from './provisionRequest.ts';
import { PROTOBUF_NOT_FOUND, responseText } from './provisionResponse.ts';
import type { Reply, ServerContext } from './serverContext.ts';
import { badPayload, badTopic } from './serverContext.ts';

const REQUEST_TOPIC = '/provision/request';
const RESPONSE_TOPIC = '/provision/response';

export const isProvisionFilter = (filter: string): boolean => filter === RESPONSE_TOPIC;

/** The server's reply to a PUBLISH in a provisioning session. */
export async function receiveProvision(
  context: ServerContext,
  session: number,
  topic: string,
  payload: Buffer,
): Promise<Reply> {
  if (topic !== REQUEST_TOPIC) return badTopic('a topic other than /provision/request');
  const parsed = parseProvisionRequest(payload);
  const nth = context.registry.count('provisionRequests');
  const name = parsed.kind === 'request' ? { deviceName: parsed.request.deviceName } : {};
  context.emit(session, { type: 'request', nth, ...name });
  const fault = context.faults.nextMessage('request');
  return replyWithFault(context, fault, () => answer(context, session, parsed));
}

function answer(context: ServerContext, session: number, parsed: ParsedRequest): Reply | Promise<Reply> {
  switch (parsed.kind) {
    case 'unreadable':
      return badPayload(parsed.why);
    case 'unusable':
      return { puback: true, close: parsed.why };
    case 'protobuf':
      context.registry.count('notFound');
      return response(context, PROTOBUF_NOT_FOUND, { status: 'NOT_FOUND', reason: 'an empty payload' });
    case 'request':
      return provision(context, session, parsed.request);
  }
}

async function provision(context: ServerContext, session: number, request: ProvisionRequest): Promise<Reply> {
  await context.timers.wait(context.times.commitDelayMs);
  // There is no await between decision and commit, so that one of two concurrent requests for a name fails.
  const decision = decide(request, { ...context.release, deviceLimit: context.deviceLimit }, context.registry);
  if (decision.status === 'SILENCE') {
    await context.timers.wait(context.times.backEndTimeoutMs);
    return { puback: true, close: decision.reason };
  }
  commit(context, request, decision);
  await context.durable();
  // A commit in the database takes longer than a refusal.
  if (decision.status === 'SUCCESS') await new Promise((resolve) => setImmediate(resolve));
  if (decision.status === 'SUCCESS') {
    context.emit(session, { type: 'commit', deviceName: decision.name, created: decision.create });
  }
  return response(context, Buffer.from(responseText(decision)), decision);
}

function commit(
  { registry }: ServerContext,
  request: ProvisionRequest,
  decision: Exclude<Decision, { status: 'SILENCE' }>,
): void {
  switch (decision.status) {
    case 'NOT_FOUND':
      registry.count('notFound');
      return;
    case 'FAILURE':
      registry.count('failures');
      return;
    case 'SUCCESS':
      if (decision.create) {
        const { name, profile, credentials } = decision;
        registry.addDevice({ name, profile, credentials, provisioned: true, gateway: request.gateway });
      } else {
        registry.markProvisioned(decision.name);
      }
      registry.count('successes');
  }
}

function response(context: ServerContext, payload: Buffer, decision: Decision): Reply {
  return {
    puback: true,
    messages: [{ topic: RESPONSE_TOPIC, payload }],
    close: 'the provisioning session is over',
    closeAfterMs: context.times.provisionSessionCloseMs,
    sent: {
      type: 'answer',
      status: decision.status,
      ...(decision.status === 'SUCCESS' ? {} : { reason: decision.reason }),
    },
  };
}
