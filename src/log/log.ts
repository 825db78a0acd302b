/** The agent's logging contract. What prints the records is a LogSink: winstonSink.ts, or a program that embeds us. */
import type { Clock } from '../time/clock.ts';
import type { EventAt, EventName, FieldsOf } from './eventTypes.ts';
import type { LogLevel } from './levels.ts';

/** Details of a line. There is no way to pass an object: a Secret does not fit the type. */
export type LogDetails = Readonly<Record<string, string | number | boolean | null | undefined | readonly string[]>>;

/** The arguments after the sentence: the event's fields, which may be left out when all of them are optional. */
type Details = {
  [Name in EventName]: keyof FieldsOf<Name> extends never
    ? []
    : Partial<FieldsOf<Name>> extends FieldsOf<Name>
      ? [details?: FieldsOf<Name>]
      : [details: FieldsOf<Name>];
};

type Write<Level extends LogLevel> = <Name extends EventAt<Level>>(
  event: Name,
  message: string,
  ...details: Details[Name]
) => void;

/**
 * One line per call: `event` is a name from the catalogue (events.ts), which says its level and its details, `message`
 * a sentence for people.
 */
export type Log = { readonly [Level in LogLevel]: Write<Level> };

/** Where in which run a line was written; every record carries it (SC-006). */
export interface RunPosition {
  runId: string | null;
  state: string | null;
  attempt: number | null;
}

export interface LogRecord extends Readonly<RunPosition> {
  /** ISO 8601, UTC. */
  readonly time: string;
  readonly level: LogLevel;
  readonly event: string;
  readonly message: string;
  readonly details: LogDetails;
}

export type LogSink = (record: LogRecord) => void;

/** @param position read at each line: whoever runs the chart keeps it current */
export function createLog(sink: LogSink, clock: Clock, position: Readonly<RunPosition>): Log {
  const at =
    (level: LogLevel) =>
    (event: EventName, message: string, details: LogDetails = {}): void =>
      sink({ time: new Date(clock.now()).toISOString(), level, event, message, ...position, details });
  return { error: at('error'), warn: at('warn'), info: at('info'), debug: at('debug') };
}

export const silentLog: Log = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {} };
