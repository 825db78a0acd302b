/** Reads the credentials that an administrator saves for a device (docs/thingsboard.md, section 7). */

import * as z from 'zod/mini';
import { type Credentials, x509 } from './credentials.ts';
import { invalid } from './restRefusal.ts';

const text = z.nullish(z.string());

const basicSchema = z.object({ clientId: text, userName: text, password: text });
const lwm2mSchema = z.object({ client: z.object({ endpoint: z.string() }) });

const schema = z.object({
  deviceId: z.object({ id: z.string() }),
  credentialsType: z.enum(['ACCESS_TOKEN', 'MQTT_BASIC', 'X509_CERTIFICATE', 'LWM2M_CREDENTIALS']),
  credentialsId: text,
  credentialsValue: text,
});

/**
 * The device's id and its new credentials.
 * @throws RestRefusal with the path of the first wrong field
 */
export function savedCredentials(body: unknown): { readonly device: string; readonly credentials: Credentials } {
  const given = schema.safeParse(body);
  if (!given.success) throw invalid(`Device credentials: ${given.error.issues[0]?.path.join('.')}`);
  return { device: given.data.deviceId.id, credentials: credentialsOf(given.data) };
}

function credentialsOf({ credentialsType, credentialsId, credentialsValue }: z.infer<typeof schema>): Credentials {
  switch (credentialsType) {
    case 'ACCESS_TOKEN':
      return { type: credentialsType, token: credentialsId ?? '' };
    case 'X509_CERTIFICATE':
      return x509(credentialsValue ?? '');
    case 'LWM2M_CREDENTIALS':
      return { type: credentialsType, endpoint: parsedValue(lwm2mSchema, credentialsValue).client.endpoint };
    case 'MQTT_BASIC': {
      const given = Object.entries(parsedValue(basicSchema, credentialsValue)).filter(([, part]) => part !== null);
      return { type: credentialsType, ...Object.fromEntries(given) };
    }
  }
}

/** The value of these types is text that holds JSON. */
function parsedValue<Schema extends z.ZodMiniType>(schema: Schema, value: string | null | undefined): z.infer<Schema> {
  try {
    const parsed = schema.safeParse(JSON.parse(value ?? ''));
    if (parsed.success) return parsed.data;
  } catch {
    // Not JSON.
  }
  throw invalid('Device credentials: credentialsValue');
}
