import { Writable } from 'node:stream';
import winston from 'winston';
import { openLineFile } from '../files/appendLimited.ts';
import type { FileAttributes } from '../files/durable.ts';
import { isJournalStream, withPriority } from '../systemd/journald.ts';
import { openStatus } from '../systemd/notify.ts';
import { formatRecord, type LogFormat, sentenceOf } from './format.ts';
import type { LogLevel } from './levels.ts';
import type { LogRecord, LogSink } from './log.ts';
import type { EventRecord } from './recordedEvent.ts';

export interface WinstonSinkOptions {
  readonly level: LogLevel;
  readonly format: LogFormat;
  /** Log file of normal operation (section `logging`). `only`: no lines on standard error. */
  readonly file?: { readonly path: string; readonly only: boolean; readonly attributes: FileAttributes };
}

export interface WinstonSink {
  readonly sink: LogSink;
  /** Opens the log file anew. */
  reopen(): void;
  close(): void;
}

const MAX_LOG_FILE_BYTES = 5 * 1024 * 1024;
/** A try on a failing card can take seconds, and nothing else happens meanwhile. */
const LOG_FILE_RETRY_MS = 30_000;
const RECORD = Symbol('record');
/** The key under which winston keeps the finished line (triple-beam). */
const MESSAGE = Symbol.for('message');

const isRecord = (value: unknown): value is LogRecord =>
  typeof value === 'object' && value !== null && 'event' in value;

/** winston's own file transport has no size limit by default, and a full disk ends the process. */
const writableOf = (append: (line: string) => void): Writable =>
  new Writable({
    decodeStrings: false,
    write(line, _encoding, done) {
      append(String(line));
      done();
    },
  });

const ignore = (): void => {};

/** The reader of standard error may disappear (EPIPE: journald restarts, a pager ends). The run must continue. */
function ignoreErrorsOfStandardError(): void {
  if (!process.stderr.listeners('error').includes(ignore)) process.stderr.on('error', ignore);
}

/** The line about the log file itself. @param record the line that is logged at the same moment */
function fileRecord(record: LogRecord, path: string, problem: string | undefined): LogRecord {
  if (problem === undefined) {
    const message = `The log file ${path} is written again`;
    return {
      ...record,
      level: 'info',
      event: 'log.writable',
      message,
      details: { file: path },
    } satisfies EventRecord<'log.writable'>;
  }
  const message = `Can't write the log file ${path}: ${problem}; log lines go to standard error`;
  return {
    ...record,
    level: 'error',
    event: 'log.unwritable',
    message,
    details: { file: path },
  } satisfies EventRecord<'log.unwritable'>;
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
  ignoreErrorsOfStandardError();
  const lineFile =
    file === undefined ? undefined : openLineFile(file.path, MAX_LOG_FILE_BYTES, file.attributes, LOG_FILE_RETRY_MS);
  const console = new winston.transports.Console({
    stderrLevels: ['error', 'warn', 'info', 'debug'],
    forceConsole: false,
    format: consoleLine,
    silent: file?.only === true,
  });
  const append = (text: string): void => {
    lineFile?.append(text);
    if (lineFile?.problem !== undefined) console.silent = false;
  };
  const status = openStatus(process.env);
  const logger = winston.createLogger({
    level,
    format: line,
    transports: [
      // The file comes first, so that standard error gets a line that the file does not get.
      ...(lineFile === undefined ? [] : [new winston.transports.Stream({ stream: writableOf(append), eol: '' })]),
      console,
    ],
  });
  const write = (record: LogRecord): void => {
    logger.log({ level: record.level, message: record.message, [RECORD]: record });
  };
  let isWritable = true;
  /** Says once that the file can't be written, and that it is written again. */
  const followFile = (record: LogRecord): void => {
    if (file === undefined || (lineFile?.problem === undefined) === isWritable) return;
    isWritable = !isWritable;
    write(fileRecord(record, file.path, lineFile?.problem));
    console.silent = file.only && isWritable;
  };
  return {
    sink: (record) => {
      followFile(record);
      write(record);
      followFile(record);
      status?.show({ ...record, message: sentenceOf(record) });
    },
    reopen: () => lineFile?.reopen(),
    close: () => {
      logger.close();
      lineFile?.close();
    },
  };
}
