/** The types that the compiler derives from the catalogue of log events. */
import type { FieldValues } from './events/eventKind.ts';
import type { EVENTS } from './events.ts';
import type { LogLevel } from './levels.ts';

type Events = typeof EVENTS;
export type EventName = keyof Events;

type LevelOf<Level> = Level extends readonly (infer Each)[] ? Each : Level;

/** The events that are logged at this level. */
export type EventAt<Level extends LogLevel> = {
  [Name in EventName]: Level extends LevelOf<Events[Name]['level']> ? Name : never;
}[EventName];

type Values<Kinds> = {
  readonly [Field in keyof Kinds]: Kinds[Field] extends keyof FieldValues ? FieldValues[Kinds[Field]] : never;
};
type None = Readonly<Record<never, never>>;
type Always<Kind> = Kind extends { readonly fields: infer Kinds } ? Values<Kinds> : None;
type Optional<Kind> = Kind extends { readonly optional: infer Kinds }
  ? { readonly [Field in keyof Values<Kinds>]?: Values<Kinds>[Field] | undefined }
  : None;

/** The fields that an event carries. */
export type FieldsOf<Name extends EventName> = Always<Events[Name]> & Optional<Events[Name]>;
