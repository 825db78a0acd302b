import { type DeviceStatus, statusSchema } from './deviceStatus.ts';
import { sortKeys } from './statusJson.ts';

const MAX_TEXT = 300;
const MAX_TEXTS = 10;
const SHORTENED = 'This document was shortened. The command status on the camera shows all of it';

const cut = (text: string): string => (text.length <= MAX_TEXT ? text : `${text.slice(0, MAX_TEXT - 1)}…`);

/** Every text of a document, and at most ten entries of each list. */
function cutAll(value: unknown): unknown {
  if (typeof value === 'string') return cut(value);
  if (Array.isArray(value)) return value.slice(0, MAX_TEXTS).map(cutAll);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, cutAll(part)]));
}

/** Each step leaves out what is missed least. */
const STEPS: readonly ((status: DeviceStatus) => DeviceStatus)[] = [
  (status) => status,
  (status) => ({ ...status, events: status.events.slice(-5) }),
  (status) => ({ ...status, events: [] }),
  (status) => ({ ...status, events: [], history: status.history.slice(-10) }),
  (status) => statusSchema.parse(cutAll({ ...status, events: [], history: [] })),
];

/**
 * The document of `status --format json` in one line, for a message of limited size. If it is too long, the oldest
 * events are left out, then the oldest history, then the ends of long texts and lists. Its last warning says so.
 * @param maxBytes the longest result
 * @returns undefined: even the shortest document is too long
 */
export function shortStatusJson(status: DeviceStatus, maxBytes: number): string | undefined {
  for (const step of STEPS) {
    const shortened = step(status);
    const warnings = shortened === status ? status.warnings : [...shortened.warnings, SHORTENED];
    const text = JSON.stringify(sortKeys(statusSchema.parse({ ...shortened, warnings })));
    if (Buffer.byteLength(text) <= maxBytes) return text;
  }
  return undefined;
}
