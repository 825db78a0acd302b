/**
 * Reads the payload of a provisioning request as the server does (docs/thingsboard.md, section 2). It shares no code
 * with the agent's src/thingsboard/provisionRequest.ts, so that an error in one shows up in the other.
 */

import { parseObject } from './gsonReader.ts';

const CREDENTIALS_TYPES = ['ACCESS_TOKEN', 'MQTT_BASIC', 'X509_CERTIFICATE', 'LWM2M_CREDENTIALS'] as const;
type CredentialsType = (typeof CREDENTIALS_TYPES)[number];

/** Absent fields are empty, as on the server, which converts them to protobuf. */
export interface ProvisionRequest {
  readonly provisionDeviceKey: string;
  readonly provisionDeviceSecret: string;
  readonly deviceName: string;
  readonly credentialsType: CredentialsType;
  readonly token: string;
  readonly clientId: string;
  readonly username: string;
  readonly password: string;
  readonly hash: string;
  /** A text counts as the boolean that it names. */
  readonly gateway: boolean;
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

const isCredentialsType = (text: string): text is CredentialsType => CREDENTIALS_TYPES.some((type) => type === text);

/** Numbers and booleans are read as text, and so is a list of one of them. Null and objects have no text. */
function fieldText(value: unknown): string | undefined {
  if (value === undefined) return '';
  if (typeof value === 'string') return value;
  if (Array.isArray(value) && value.length === 1) return fieldText(value[0]);
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
}

const isList = (value: unknown): boolean => Array.isArray(value) && value.length !== 1;

/** @param payload the payload of a PUBLISH to `/provision/request` */
export function parseProvisionRequest(payload: Buffer): ParsedRequest {
  const body = parseObject(payload);
  if (body === undefined) {
    return isProtobuf(payload) ? { kind: 'protobuf' } : { kind: 'unreadable', why: 'not a JSON object' };
  }
  const list = READ_FIELDS.find((field) => isList(body[field]));
  if (list !== undefined) return { kind: 'unreadable', why: `${list} is a list` };
  const broken = READ_FIELDS.find((field) => fieldText(body[field]) === undefined);
  if (broken !== undefined) return { kind: 'unusable', why: `${broken} is null or an object` };
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
      gateway: text('gateway').toLowerCase() === 'true',
    },
  };
}

/** Whether bytes are a protobuf message, which may be empty. The server tries this after JSON. */
function isProtobuf(payload: Buffer): boolean {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 0; shift < 10; shift += 1) {
      const byte = payload[at];
      at += 1;
      if (byte === undefined) return Number.NaN;
      value += (byte & 0x7f) * 128 ** shift;
      if (byte < 0x80) return value;
    }
    return Number.NaN;
  };
  while (at < payload.length) {
    const tag = varint();
    if (!(tag >= 8)) return false;
    switch (tag % 8) {
      case 0:
        if (Number.isNaN(varint())) return false;
        break;
      case 1:
        at += 8;
        break;
      case 2:
        {
          const length = varint();
          at += length;
        }
        break;
      case 5:
        at += 4;
        break;
      default:
        return false;
    }
    if (!(at <= payload.length)) return false;
  }
  return true;
}
