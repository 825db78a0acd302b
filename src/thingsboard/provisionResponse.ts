import * as z from 'zod/mini';
import { Failure } from '../failures/failure.ts';
import { Secret } from '../secret.ts';

export type ProvisionResponse =
  | { readonly status: 'SUCCESS'; readonly token: Secret }
  | { readonly status: 'FAILURE' }
  | { readonly status: 'NOT_FOUND' };

/** As ThingsBoard's access tokens are at most; longer ones would not fit its own data base either. */
const MAX_TOKEN_LENGTH = 1024;
const MAX_RESPONSE_BYTES = 16 * 1024;

const statusSchema = z.object({ status: z.enum(['SUCCESS', 'FAILURE', 'NOT_FOUND']) });
const successSchema = z.object({ credentialsType: z.string().check(z.maxLength(64)), credentialsValue: z.unknown() });
// Control characters can't be part of a token, and would break lines wherever it is written.
const tokenSchema = z.string().check(z.minLength(1), z.maxLength(MAX_TOKEN_LENGTH), z.regex(/^\P{Cc}+$/u));

const invalid = (why: string): Failure =>
  new Failure('ANSWER_INVALID', `The server’s answer to the provisioning request makes no sense: ${why}`);

function parseJson(payload: Buffer): unknown {
  if (payload.length > MAX_RESPONSE_BYTES) throw invalid(`it is ${payload.length} bytes long`);
  try {
    return JSON.parse(payload.toString('utf8'));
  } catch {
    // The parser's message would quote the answer, which may hold a token.
    throw invalid('it is no JSON');
  }
}

/**
 * Reads a provisioning response (docs/thingsboard.md, section 3). The type in the answer counts, whatever was asked.
 * @throws Failure ANSWER_INVALID, CREDENTIALS_TYPE_UNSUPPORTED
 */
export function parseProvisionResponse(payload: Buffer): ProvisionResponse {
  const json = parseJson(payload);
  const parsed = statusSchema.safeParse(json);
  if (!parsed.success) throw invalid('its status is none of SUCCESS, FAILURE and NOT_FOUND');
  const { status } = parsed.data;
  if (status !== 'SUCCESS') return { status };
  const success = successSchema.safeParse(json);
  if (!success.success) throw invalid('it says SUCCESS without naming the type of the credentials');
  const { credentialsType, credentialsValue } = success.data;
  if (credentialsType === 'MQTT_BASIC' || credentialsType === 'X509_CERTIFICATE') {
    throw new Failure(
      'CREDENTIALS_TYPE_UNSUPPORTED',
      `The device has ${credentialsType} credentials on the server; thermal_config.json can hold an access token only`,
    );
  }
  if (credentialsType !== 'ACCESS_TOKEN') throw invalid('the type of its credentials is unknown');
  const token = tokenSchema.safeParse(credentialsValue);
  if (!token.success) throw invalid('it says SUCCESS without a usable access token');
  return { status, token: new Secret(token.data) };
}
