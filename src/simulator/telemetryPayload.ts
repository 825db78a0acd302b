/** The payloads of telemetry and attributes that the server accepts (docs/thingsboard.md, section 6). */

import type { JsonObject } from './jsonPayload.ts';
import { isJsonObject } from './jsonPayload.ts';

/** An object whose values are not null. */
const isKeyValues = (value: unknown): value is JsonObject =>
  isJsonObject(value) && Object.values(value).every((entry) => entry !== null);

function isTelemetryObject(value: unknown): boolean {
  if (!isJsonObject(value)) return false;
  if ('ts' in value && 'values' in value) return Number.isInteger(value.ts) && isKeyValues(value.values);
  return isKeyValues(value);
}

/** `{"k":v}`, `{"ts":ms,"values":{…}}`, or an array of these. The array may be empty. */
export const isTelemetry = (value: unknown): boolean =>
  Array.isArray(value) ? value.every(isTelemetryObject) : isTelemetryObject(value);

/** `{"k":v}` */
export const isAttributes = isKeyValues;

/** Telemetry that the server never acknowledges. */
export const isNeverAcknowledged = (value: unknown): boolean => Array.isArray(value) && value.length === 0;
