import type { EventKind, FieldKinds, FieldValues } from './events/eventKind.ts';
import { EVENTS } from './events.ts';
import type { EventName, FieldsOf } from './eventTypes.ts';
import type { LogDetails, LogRecord } from './log.ts';

/** A line with a known event and the fields of the catalogue. */
export type EventRecord<Name extends EventName> = Name extends EventName
  ? LogRecord & { readonly event: Name; readonly details: FieldsOf<Name> }
  : never;

const KINDS: Readonly<Record<EventName, EventKind>> = EVENTS;

const FITS: Readonly<Record<keyof FieldValues, (value: LogDetails[string]) => boolean>> = {
  text: (value) => typeof value === 'string',
  'text or null': (value) => value === null || typeof value === 'string',
  number: (value) => typeof value === 'number',
  flag: (value) => typeof value === 'boolean',
  texts: (value) => Array.isArray(value),
};

const haveFields = (details: LogDetails, kinds: FieldKinds = {}, isOptional = false): boolean =>
  Object.entries(kinds).every(
    ([field, kind]) => (isOptional && details[field] === undefined) || FITS[kind](details[field]),
  );

/**
 * Whether a line has one of these events and the fields of the catalogue. The line may come from another version of the
 * agent, so events are read only through this check.
 */
export function isEvent<Name extends EventName>(
  record: LogRecord,
  ...names: readonly Name[]
): record is EventRecord<Name> {
  const name = names.find((each) => each === record.event);
  if (name === undefined) return false;
  const { fields, optional } = KINDS[name];
  return haveFields(record.details, fields) && haveFields(record.details, optional, true);
}
