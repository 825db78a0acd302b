/** The agent's log. A LogSink prints the records: winstonSink.ts, or the program that uses the library. */
import type { FailureRecord } from '../../machines/provision.types.ts';
import type { Clock } from '../time/clock.ts';
import type { EventAt, EventName, FieldsOf } from './eventTypes.ts';
import type { LogLevel } from './levels.ts';

/** Details of a line. The type admits no object, so a Secret can't be passed. */
export type LogDetails = Readonly<Record<string, string | number | boolean | null | undefined | readonly string[]>>;

/** The arguments after the message: the fields of the event. They may be omitted if all of them are optional. */
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
 * One line for each call. `event` is a name from the catalogue (events.ts), which defines its level and its details.
 * `message` is a sentence for people.
 */
export type Log = { readonly [Level in LogLevel]: Write<Level> };

/** The run, state and attempt in which a line was written. Every record has them (SC-006). */
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

/** @param position read for each line; the caller updates it as the run proceeds */
export function createLog(sink: LogSink, clock: Clock, position: Readonly<RunPosition>): Log {
  const at =
    (level: LogLevel) =>
    (event: EventName, message: string, details: LogDetails = {}): void =>
      sink({ time: new Date(clock.now()).toISOString(), level, event, message, ...position, details });
  return { error: at('error'), warn: at('warn'), info: at('info'), debug: at('debug') };
}

/** A failure as the fields of a log line. Its message is the message of the line. */
export const failureFields = ({ code, hint, exitStatus, retryable, causes }: FailureRecord) => ({
  code,
  hint,
  exitStatus,
  retryable,
  causes,
});

export const silentLog: Log = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {} };
