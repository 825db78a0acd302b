import * as z from 'zod/mini';
import { type AccessToken, isCertificate, type MqttBasic, type X509 } from '../deviceCredentials.ts';
import { Failure } from '../failures/failure.ts';
import { Secret } from '../secret.ts';

/** Credentials as the server answers them: of an X.509 key pair it has only the certificate. */
export type AnsweredCredentials = AccessToken | MqttBasic | Omit<X509, 'key'>;

export type ProvisionResponse =
  | { readonly status: 'SUCCESS'; readonly credentials: AnsweredCredentials }
  | { readonly status: 'FAILURE' }
  | { readonly status: 'NOT_FOUND' };

/** The limit of ThingsBoard's database for an access token. */
const MAX_TOKEN_LENGTH = 1024;
const MAX_RESPONSE_BYTES = 16 * 1024;

const statusSchema = z.object({ status: z.enum(['SUCCESS', 'FAILURE', 'NOT_FOUND']) });
const successSchema = z.object({
  credentialsType: z.string().check(z.maxLength(64)),
  // LwM2M credentials have none.
  credentialsValue: z.optional(z.unknown()),
});
// A credential has no control characters. They would break lines in the files that hold it.
const textSchema = z.string().check(z.minLength(1), z.maxLength(MAX_TOKEN_LENGTH), z.regex(/^\P{Cc}+$/u));
/** Base64 of at most 8 KiB. */
const textOfCertificate = z.string().check(z.maxLength(8192), z.regex(/^[A-Za-z0-9+/]+=*$/));
/** The server writes null or an empty text for a part that the operator left out. */
const optionalSchema = z.pipe(
  z.transform((value) => (value === '' || value === undefined ? null : value)),
  z.nullable(textSchema),
);
const basicSchema = z
  .object({ clientId: optionalSchema, userName: optionalSchema, password: optionalSchema })
  .check(z.refine(({ clientId, userName }) => clientId !== null || userName !== null));

function parseJson(payload: Buffer): unknown {
  if (payload.length > MAX_RESPONSE_BYTES) throw new Failure('ANSWER_INVALID', 'tooLong', { bytes: payload.length });
  try {
    return JSON.parse(payload.toString('utf8'));
  } catch {
    // The parser's message quotes the answer, which may hold a token.
    throw new Failure('ANSWER_INVALID', 'notJson', {});
  }
}

const secretOf = (text: string | null): Secret | null => (text === null ? null : new Secret(text));

/** The certificate as PEM. The server answers it as one line of base64. */
function pemOf(value: unknown): string | undefined {
  const base64 = textOfCertificate.safeParse(value);
  if (!base64.success) return undefined;
  const lines = base64.data.match(/.{1,64}/g) ?? [];
  const pem = `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
  return isCertificate(pem) ? pem : undefined;
}

/** @returns undefined when the value does not fit the type */
function credentialsOf(type: string, value: unknown): AnsweredCredentials | undefined {
  switch (type) {
    case 'ACCESS_TOKEN': {
      const token = textSchema.safeParse(value);
      return token.success ? { type, token: new Secret(token.data) } : undefined;
    }
    case 'MQTT_BASIC': {
      const basic = basicSchema.safeParse(value);
      if (!basic.success) return undefined;
      const { clientId, userName, password } = basic.data;
      return { type, clientId, userName: secretOf(userName), password: secretOf(password) };
    }
    case 'X509_CERTIFICATE': {
      const certificate = pemOf(value);
      return certificate === undefined ? undefined : { type, certificate };
    }
    case 'LWM2M_CREDENTIALS':
      throw new Failure('CREDENTIALS_TYPE_UNSUPPORTED', 'otherType', { type });
    default:
      throw new Failure('ANSWER_INVALID', 'unknownType', {});
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
  const credentials = credentialsOf(success.data.credentialsType, success.data.credentialsValue);
  if (credentials === undefined) throw new Failure('ANSWER_INVALID', 'noToken', {});
  return { status, credentials };
}
