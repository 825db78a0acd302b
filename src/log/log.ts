/** The agent's logging contract. What prints the records is a LogSink: winstonSink.ts, or a program that embeds us. */
import type { Clock } from '../time/clock.ts';

export const LOG_LEVELS = ['error', 'warn', 'info', 'debug'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export const isLogLevel = (text: string): text is LogLevel => LOG_LEVELS.some((level) => level === text);

/** Details of a line. There is no way to pass an object: a Secret does not fit the type. */
export type LogDetails = Readonly<Record<string, string | number | boolean | null | undefined | readonly string[]>>;

/**
 * One line per call: `event` is a stable dotted name for machines (`request.sent`), `message` a sentence for people.
 */
export interface Log {
  error(event: string, message: string, details?: LogDetails): void;
  warn(event: string, message: string, details?: LogDetails): void;
  info(event: string, message: string, details?: LogDetails): void;
  debug(event: string, message: string, details?: LogDetails): void;
}

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
    (event: string, message: string, details: LogDetails = {}): void =>
      sink({ time: new Date(clock.now()).toISOString(), level, event, message, ...position, details });
  return { error: at('error'), warn: at('warn'), info: at('info'), debug: at('debug') };
}

export const silentLog: Log = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {} };
