/** The agent's logging contract; `winstonLog.ts` prints it, `silentLog` is for embedding and tests. */

export const LOG_LEVELS = ['error', 'warn', 'info', 'debug'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

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

export const silentLog: Log = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {} };
