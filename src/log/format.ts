import type { LogDetails, LogRecord } from './log.ts';

export const LOG_FORMATS = ['text', 'json'] as const;
export type LogFormat = (typeof LOG_FORMATS)[number];

export const isLogFormat = (text: string): text is LogFormat => LOG_FORMATS.some((format) => format === text);

/** One JSON object a line; the details are keys of their own, after the fixed ones, which they can't replace. */
export function formatJson(record: LogRecord): string {
  const { time, level, event, message, runId, state, attempt, details } = record;
  const fixed = { time, level, runId, state, attempt, event, message };
  return JSON.stringify({ ...fixed, ...details, ...fixed });
}

/** Line breaks and control characters in a value (a file name, say) must not forge lines, nor command a terminal. */
const CONTROL = /\p{Cc}/gu;

const formatDetails = (details: LogDetails): string =>
  Object.entries(details)
    .filter(([, value]) => value !== undefined && value !== null)
    .map(([key, value]) => ` ${key}=${JSON.stringify(value)}`)
    .join('')
    // JSON leaves those from U+007F on as they are.
    .replaceAll(CONTROL, '?');

/** The sentence of a line for people, with what to do about it where the line says that. */
export function sentenceOf({ message, details: { hint } }: Pick<LogRecord, 'message' | 'details'>): string {
  if (typeof hint !== 'string' || hint === '') return message;
  return `${message}${message.endsWith('.') ? '' : '.'} ${hint}`;
}

/** For people: time of day first, then level, state and sentence; details last. Several lines are indented. */
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
