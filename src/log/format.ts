import type { LogDetails, LogRecord } from './log.ts';

// In one part of the bundle with the formats, because a boot without work loads both.
export { isLogLevel } from './levels.ts';

export const LOG_FORMATS = ['text', 'json'] as const;
export type LogFormat = (typeof LOG_FORMATS)[number];

export const isLogFormat = (text: string): text is LogFormat => LOG_FORMATS.some((format) => format === text);

/** One JSON object. The details follow the fixed keys and can't replace them. */
export function formatJson(record: LogRecord): string {
  const { time, level, event, message, runId, state, attempt, details } = record;
  const fixed = { time, level, runId, state, attempt, event, message };
  return JSON.stringify({ ...fixed, ...details, ...fixed });
}

/** Line breaks and control characters in a value, such as a file name, could forge lines or control a terminal. */
const CONTROL = /\p{Cc}/gu;

const formatDetails = (details: LogDetails): string =>
  Object.entries(details)
    .filter(([, value]) => value !== undefined && value !== null)
    .map(([key, value]) => ` ${key}=${JSON.stringify(value)}`)
    .join('')
    // JSON.stringify does not escape the control characters from U+007F on.
    .replaceAll(CONTROL, '?');

/** The message of a line, with its hint if it has one. */
export function sentenceOf({ message, details: { hint } }: Pick<LogRecord, 'message' | 'details'>): string {
  if (typeof hint !== 'string' || hint === '') return message;
  return `${message}${message.endsWith('.') ? '' : '.'} ${hint}`;
}

/** For people: time, level, state and message first, details last. Further lines are indented. */
export function formatText(record: LogRecord): string {
  const state = record.state === null ? '' : ` [${record.state}]`;
  const run = record.runId === null ? '' : ` run=${record.runId}`;
  const attempt = record.attempt === null ? '' : ` attempt=${record.attempt}`;
  const { hint, ...details } = record.details;
  const message = sentenceOf(record)
    .split('\n')
    .map((line) => line.replaceAll(CONTROL, '?'))
    .join('\n    ');
  return `${record.time} ${record.level.toUpperCase().padEnd(5)}${state} ${message} (${record.event}${run}${attempt}${formatDetails(details)})`;
}

export const formatRecord = (format: LogFormat, record: LogRecord): string =>
  format === 'json' ? formatJson(record) : formatText(record);
