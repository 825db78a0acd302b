/**
 * Reads the payload of a provisioning request as the server does (docs/thingsboard.md, section 2). It shares no code
 * with the agent's src/thingsboard/provisionRequest.ts, so that an error in one shows up in the other.
 */

import type { Credentials } from './credentials.ts';
import { parseObject } from './jsonPayload.ts';

const CREDENTIALS_TYPES = ['ACCESS_TOKEN', 'MQTT_BASIC', 'X509_CERTIFICATE'] as const;

/** Absent fields are empty, as on the server, which converts them to protobuf. */
export interface ProvisionRequest {
  readonly provisionDeviceKey: string;
  readonly provisionDeviceSecret: string;
  readonly deviceName: string;
  readonly credentialsType: Credentials['type'];
  readonly token: string;
  readonly clientId: string;
  readonly username: string;
  readonly password: string;
  readonly hash: string;
}

export type ParsedRequest =
  | { readonly kind: 'request'; readonly request: ProvisionRequest }
  /** Read as protobuf and answered in protobuf. */
  | { readonly kind: 'protobuf' }
  /** Close without PUBACK. */
  | { readonly kind: 'unreadable'; readonly why: string }
  /** PUBACK, then close without a response. */
  | { readonly kind: 'unusable'; readonly why: string };

const REQUIRED = ['provisionDeviceKey', 'provisionDeviceSecret'] as const;
const READ_FIELDS = [
  ...REQUIRED,
  'deviceName',
  'credentialsType',
  'token',
  'clientId',
  'username',
  'password',
  'hash',
  'gateway',
] as const;

const isCredentialsType = (text: string): text is Credentials['type'] =>
  CREDENTIALS_TYPES.some((type) => type === text);

/** Numbers and booleans are read as text. Null, objects and lists make the request invalid. */
function fieldText(value: unknown): string | undefined {
  if (value === undefined) return '';
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
}

/** @param payload the payload of a PUBLISH to `/provision/request` */
export function parseProvisionRequest(payload: Buffer): ParsedRequest {
  if (payload.length === 0) return { kind: 'protobuf' };
  const body = parseObject(payload);
  if (body === undefined) return { kind: 'unreadable', why: 'not a JSON object' };
  const broken = READ_FIELDS.find((field) => fieldText(body[field]) === undefined);
  if (broken !== undefined) return { kind: 'unreadable', why: `${broken} is null, an object or a list` };
  const missing = REQUIRED.find((field) => body[field] === undefined);
  if (missing !== undefined) return { kind: 'unusable', why: `${missing} is missing` };

  const text = (field: (typeof READ_FIELDS)[number]): string => fieldText(body[field]) ?? '';
  const credentialsType = body.credentialsType === undefined ? 'ACCESS_TOKEN' : text('credentialsType');
  if (!isCredentialsType(credentialsType)) return { kind: 'unusable', why: 'unknown credentialsType' };
  return {
    kind: 'request',
    request: {
      provisionDeviceKey: text('provisionDeviceKey'),
      provisionDeviceSecret: text('provisionDeviceSecret'),
      deviceName: text('deviceName'),
      credentialsType,
      token: text('token'),
      clientId: text('clientId'),
      username: text('username'),
      password: text('password'),
      hash: text('hash'),
    },
  };
}
