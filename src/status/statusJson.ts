import { type DeviceStatus, statusSchema } from './deviceStatus.ts';

/** Copies a value with the keys of every object in alphabetical order. */
export function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1));
  return Object.fromEntries(entries.map(([key, part]) => [key, sortKeys(part)]));
}

/** The first characters of the status for machines: no other file of a camera begins with them. */
export const JSON_BEGINNING = '{\n  "attempt":';

/** The status for machines, checked against its schema (docs/status.schema.json). */
export const statusJson = (status: DeviceStatus): string =>
  `${JSON.stringify(sortKeys(statusSchema.parse(status)), null, 2)}\n`;
