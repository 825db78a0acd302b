import { Writable } from 'node:stream';
import winston from 'winston';
import { type LineFile, openLineFile } from '../files/appendLimited.ts';
import type { FileAttributes } from '../files/durable.ts';
import { isJournalStream, withPriority } from '../systemd/journald.ts';
import { openStatus } from '../systemd/notify.ts';
import { formatRecord, type LogFormat, sentenceOf } from './format.ts';
import type { LogLevel } from './levels.ts';
import type { LogRecord, LogSink } from './log.ts';

export interface WinstonSinkOptions {
  readonly level: LogLevel;
  readonly format: LogFormat;
  /** Log file of normal operation (section `logging`). `only`: no lines on standard error. */
  readonly file?: { readonly path: string; readonly only: boolean; readonly attributes: FileAttributes };
}

export interface WinstonSink {
  readonly sink: LogSink;
  close(): void;
}

const MAX_LOG_FILE_BYTES = 5 * 1024 * 1024;
const RECORD = Symbol('record');
/** The key under which winston keeps the finished line (triple-beam). */
const MESSAGE = Symbol.for('message');

const isRecord = (value: unknown): value is LogRecord =>
  typeof value === 'object' && value !== null && 'event' in value;

/** winston's own file transport has no size limit by default, and a full disk ends the process. */
const writableOf = (file: LineFile): Writable =>
  new Writable({
    decodeStrings: false,
    write(line, _encoding, done) {
      file.append(String(line));
      done();
    },
  });

const ignore = (): void => {};

/** The reader of standard error may disappear (EPIPE: journald restarts, a pager ends). The run must continue. */
function ignoreErrorsOfStandardError(): void {
  if (!process.stderr.listeners('error').includes(ignore)) process.stderr.on('error', ignore);
}

/**
 * Prints records to standard error, because standard output is for the result of a command. Under systemd the lines
 * have priorities for journald, and the latest line is the status of the service.
 */
export function winstonSink({ level, format, file }: WinstonSinkOptions): WinstonSink {
  const toJournal = isJournalStream(process.env);
  const line = winston.format.printf((info) => {
    const record: unknown = info[RECORD];
    return isRecord(record) ? formatRecord(format, record) : String(info.message);
  });
  const consoleLine = winston.format.printf((info) => {
    const record: unknown = info[RECORD];
    const text = String(info[MESSAGE]);
    return toJournal && isRecord(record) ? withPriority(record.level, text) : text;
  });
  if (file?.only !== true) ignoreErrorsOfStandardError();
  const lineFile = file === undefined ? undefined : openLineFile(file.path, MAX_LOG_FILE_BYTES, file.attributes);
  const console = new winston.transports.Console({
    stderrLevels: ['error', 'warn', 'info', 'debug'],
    forceConsole: false,
    format: consoleLine,
  });
  const status = openStatus(process.env);
  const logger = winston.createLogger({
    level,
    format: line,
    transports: [
      ...(file?.only === true ? [] : [console]),
      ...(lineFile === undefined ? [] : [new winston.transports.Stream({ stream: writableOf(lineFile), eol: '' })]),
    ],
  });
  return {
    sink: (record) => {
      logger.log({ level: record.level, message: record.message, [RECORD]: record });
      status?.show({ ...record, message: sentenceOf(record) });
    },
    close: () => {
      logger.close();
      lineFile?.close();
    },
  };
}
