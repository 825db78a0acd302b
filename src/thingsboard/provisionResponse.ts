import * as z from 'zod/mini';
import { Failure } from '../failures/failure.ts';
import { Secret } from '../secret.ts';

export type ProvisionResponse =
  | { readonly status: 'SUCCESS'; readonly token: Secret }
  | { readonly status: 'FAILURE' }
  | { readonly status: 'NOT_FOUND' };

/** The limit of ThingsBoard's database for an access token. */
const MAX_TOKEN_LENGTH = 1024;
const MAX_RESPONSE_BYTES = 16 * 1024;

const statusSchema = z.object({ status: z.enum(['SUCCESS', 'FAILURE', 'NOT_FOUND']) });
const successSchema = z.object({ credentialsType: z.string().check(z.maxLength(64)), credentialsValue: z.unknown() });
// A token has no control characters. They would break lines in the files that hold it.
const tokenSchema = z.string().check(z.minLength(1), z.maxLength(MAX_TOKEN_LENGTH), z.regex(/^\P{Cc}+$/u));

function parseJson(payload: Buffer): unknown {
  if (payload.length > MAX_RESPONSE_BYTES) throw new Failure('ANSWER_INVALID', 'tooLong', { bytes: payload.length });
  try {
    return JSON.parse(payload.toString('utf8'));
  } catch {
    // The parser's message quotes the answer, which may hold a token.
    throw new Failure('ANSWER_INVALID', 'notJson', {});
  }
}

/**
 * Reads a provisioning response (docs/thingsboard.md, section 3). The credentials type of the answer counts, not the
 * requested one.
 * @throws Failure ANSWER_INVALID, CREDENTIALS_TYPE_UNSUPPORTED
 */
export function parseProvisionResponse(payload: Buffer): ProvisionResponse {
  const json = parseJson(payload);
  const parsed = statusSchema.safeParse(json);
  if (!parsed.success) throw new Failure('ANSWER_INVALID', 'noStatus', {});
  const { status } = parsed.data;
  if (status !== 'SUCCESS') return { status };
  const success = successSchema.safeParse(json);
  if (!success.success) throw new Failure('ANSWER_INVALID', 'noType', {});
  const { credentialsType, credentialsValue } = success.data;
  if (credentialsType === 'MQTT_BASIC' || credentialsType === 'X509_CERTIFICATE') {
    throw new Failure('CREDENTIALS_TYPE_UNSUPPORTED', 'otherType', { type: credentialsType });
  }
  if (credentialsType !== 'ACCESS_TOKEN') throw new Failure('ANSWER_INVALID', 'unknownType', {});
  const token = tokenSchema.safeParse(credentialsValue);
  if (!token.success) throw new Failure('ANSWER_INVALID', 'noToken', {});
  return { status, token: new Secret(token.data) };
}
