/** The payloads of telemetry and attributes that the server accepts (docs/thingsboard.md, section 6). */

import { isJsonObject } from './gsonReader.ts';

function isTelemetryObject(value: unknown): boolean {
  if (!isJsonObject(value)) return false;
  if (!('ts' in value && 'values' in value)) return true;
  return isTime(value.ts) && isJsonObject(value.values);
}

/** A number, or a text that holds one. */
const isTime = (value: unknown): boolean =>
  typeof value === 'number' || (typeof value === 'string' && /^-?\d+$/.test(value));

/** `{"k":v}`, `{"ts":ms,"values":{…}}`, or an array of these. The array may be empty. Values may be null. */
export const isTelemetry = (value: unknown): boolean =>
  Array.isArray(value) ? value.every(isTelemetryObject) : isTelemetryObject(value);

/** Telemetry that the server never acknowledges. */
export const isNeverAcknowledged = (value: unknown): boolean => Array.isArray(value) && value.length === 0;
