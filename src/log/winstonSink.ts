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
  /** Also, or only, into this file (normal operation's `logging` section). */
  readonly file?: { readonly path: string; readonly only: boolean; readonly attributes: FileAttributes };
}

export interface WinstonSink {
  readonly sink: LogSink;
  close(): void;
}

const MAX_LOG_FILE_BYTES = 5 * 1024 * 1024;
const RECORD = Symbol('record');
/** Where winston keeps the finished line (triple-beam). */
const MESSAGE = Symbol.for('message');

const isRecord = (value: unknown): value is LogRecord =>
  typeof value === 'object' && value !== null && 'event' in value;

/** winston's own file transport grows without limit by default, and ends the process when the disk is full. */
const writableOf = (file: LineFile): Writable =>
  new Writable({
    decodeStrings: false,
    write(line, _encoding, done) {
      file.append(String(line));
      done();
    },
  });

const ignore = (): void => {};

/** Who reads standard error may go away (EPIPE: journald restarts, a pager is quit), which must not end a run. */
function outliveReaderOfStandardError(): void {
  if (!process.stderr.listeners('error').includes(ignore)) process.stderr.on('error', ignore);
}

/**
 * Prints records to standard error: standard output belongs to what a command was asked for. Under systemd the lines
 * have priorities for the journal, and the latest is the service's status.
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
  if (file?.only !== true) outliveReaderOfStandardError();
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
