import * as z from 'zod/mini';
import { type DeviceCredentials, loginOf } from '../deviceCredentials.ts';
import type { ServerEndpoint } from '../endpoint.ts';
import { connackFailure } from '../failures/connackFailure.ts';
import { Failure } from '../failures/failure.ts';
import { provisioningServer } from '../failures/serverFacts.ts';
import { exchange } from './exchange.ts';
import type { StandbyStream } from './standbyStream.ts';
import { ATTRIBUTES_REQUEST_TOPIC, ATTRIBUTES_RESPONSE_TOPIC } from './topics.ts';

/** The result of a connection with device credentials. */
export type Proof =
  /** The server knows the credentials and answered the device's attribute request. */
  | { readonly kind: 'proven' }
  /** The server accepted the connection, but did not answer the attribute request, like a plain MQTT broker. */
  | { readonly kind: 'accepted'; readonly failure: Failure }
  /** The server does not know the credentials. */
  | { readonly kind: 'refused' }
  /** The connection failed, so it is not known whether the credentials are valid. */
  | { readonly kind: 'failed'; readonly failure: Failure };

const ANSWER_TIMEOUT_MS = 5000;
const attributesSchema = z.record(z.string(), z.unknown());

function isAttributes(payload: Buffer): boolean {
  try {
    return attributesSchema.safeParse(JSON.parse(payload.toString('utf8'))).success;
  } catch {
    return false;
  }
}

/**
 * Logs in as a device and asks for an attribute that does not exist. The answer comes from the device's actor
 * and the database, so it proves more than CONNACK does (docs/thingsboard.md, section 5).
 */
export async function proveCredentials(options: {
  readonly server: ServerEndpoint;
  readonly credentials: DeviceCredentials;
  readonly deviceName: string;
  /** ms */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** The standby connection to use if it is open. */
  readonly standby?: StandbyStream;
}): Promise<Proof> {
  const { credentials, deviceName, standby, timeoutMs, signal } = options;
  const { clientCertificate, ...login } = loginOf(credentials, deviceName);
  const endpoint = clientCertificate === undefined ? options.server : { ...options.server, clientCertificate };
  const end = await exchange({
    server: endpoint,
    stream: standby?.take(endpoint),
    ...login,
    timeoutMs,
    signal,
    question: {
      topic: ATTRIBUTES_REQUEST_TOPIC,
      payload: '{"clientKeys":"provisioning"}',
      answerTopic: ATTRIBUTES_RESPONSE_TOPIC,
      subscribe: false,
      early: true,
    },
    answerTimeoutMs: Math.min(ANSWER_TIMEOUT_MS, timeoutMs),
  });
  const server = provisioningServer(options.server);
  if (end.kind === 'refused') {
    const failure = connackFailure(end.returnCode, server, 'device');
    return failure.code === 'CREDENTIALS_REFUSED' ? { kind: 'refused' } : { kind: 'failed', failure };
  }
  const notThingsBoard = new Failure('NOT_THINGSBOARD', 'noAttributes', server);
  if (end.kind === 'answer') {
    if (isAttributes(end.payload)) return { kind: 'proven' };
    return { kind: 'accepted', failure: notThingsBoard };
  }
  if (end.asked && end.failure.code === 'ANSWER_TIMEOUT') {
    return { kind: 'accepted', failure: notThingsBoard };
  }
  // ThingsBoard before 3.5 refuses an unknown certificate in the TLS handshake.
  if (end.failure.code === 'CREDENTIALS_REFUSED') return { kind: 'refused' };
  return { kind: 'failed', failure: end.failure };
}
