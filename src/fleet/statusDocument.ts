import * as z from 'zod/mini';
import { type DeviceStatus, STATUS_FORMAT, STATUS_VERSION, statusSchema } from '../status/deviceStatus.ts';
import type { Refusal } from './fleet.ts';

export type ReadDocument =
  | { readonly ok: true; readonly status: DeviceStatus }
  | { readonly ok: false; readonly refusal: Refusal; readonly why: string };

const headSchema = z.object({ format: z.literal(STATUS_FORMAT), version: z.int() });

const refused = (refusal: Refusal, why: string): ReadDocument => ({ ok: false, refusal, why });

/**
 * Reads a document of `status --format json`. The reason of a refusal names no value and no key of the document: it may
 * be another file that holds a secret.
 */
export function readStatusDocument(text: string): ReadDocument {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return refused('damaged', 'not JSON');
  }
  const head = headSchema.safeParse(json);
  if (!head.success) return refused('foreign', 'JSON, but not of status --format json');
  if (head.data.version > STATUS_VERSION) {
    return refused(
      'newer',
      `version ${head.data.version} of the status document; this program knows ${STATUS_VERSION}`,
    );
  }
  const parsed = statusSchema.safeParse(json);
  if (parsed.success) return { ok: true, status: parsed.data };
  // The path has only keys of the schema: an unknown key is not part of it.
  const at = parsed.error.issues[0]?.path.join('.') ?? '';
  return refused('damaged', `not as the schema says${at === '' ? '' : ` (${at})`}`);
}
