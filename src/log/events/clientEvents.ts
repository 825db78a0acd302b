import { type EventKind, FAILURE, FILE, NAMED } from './eventKind.ts';

const RETRY = { fields: { retryInMs: 'number' }, optional: { code: 'text', hint: 'text' } } as const;
const REPEATED = { level: 'warn', optional: { leftOut: 'number' } } as const;

/** The events of normal operation. */
export const CLIENT_EVENTS = {
  'start.existing': {
    level: 'warn',
    fields: { code: 'text', ...NAMED },
    meaning: 'provisioning failed; the existing configuration is used',
  },
  'start.failed': { level: 'error', fields: FAILURE, meaning: 'there is no usable configuration' },
  'log.unwritable': {
    level: 'error',
    fields: FILE,
    meaning: "the log file can't be written, the message says why; lines go to standard error",
  },
  'log.writable': { level: 'info', fields: FILE, meaning: 'the log file is written again' },
  'config.qos': { level: 'warn', meaning: 'ThingsBoard has no QoS 2; 1 is used' },
  'session.connected': {
    level: 'info',
    fields: { server: 'text', deviceId: 'text', connections: 'number' },
    meaning: 'connected',
  },
  'session.lost': { level: 'warn', ...RETRY, meaning: 'not connected; tried again after retryInMs' },
  'session.refused': {
    level: 'error',
    ...RETRY,
    meaning: 'the server refuses the token; tried again each minute',
  },
  'telemetry.published': { level: 'debug', fields: { messages: 'number' }, meaning: 'one round of messages' },
  'telemetry.summary': {
    level: 'info',
    fields: { messages: 'number', connections: 'number' },
    meaning: 'once an hour: number of messages so far',
  },
  'telemetry.no-value': { ...REPEATED, meaning: 'an enabled spot has no recent temperature' },
  'telemetry.reading-failed': {
    ...REPEATED,
    meaning: 'the source failed or took too long',
  },
  'telemetry.stopped': {
    level: 'info',
    fields: { connections: 'number', messages: 'number' },
    meaning: 'ended on request',
  },
  'record.published': {
    level: 'info',
    fields: { run: 'text' },
    meaning: 'the server has the record of the provisioning',
  },
  'record.unmarked': {
    level: 'warn',
    meaning: 'publication not noted; the record is published again after the next start',
  },
  'record.unreadable': { level: 'warn', meaning: "the record can't be made, because a file can't be read" },
  'rpc.answered': { level: 'debug', meaning: 'a request of the server was answered' },
  'rpc.refused': { ...REPEATED, meaning: 'a request of the server was refused or ignored; the message says why' },
  'rpc.unanswered': { ...REPEATED, meaning: 'the answer to a request could not be sent' },
  'rpc.not-subscribed': {
    level: 'warn',
    meaning: "the server can't send requests in this session; telemetry continues",
  },
  'rpc.reprovision': {
    level: 'warn',
    fields: NAMED,
    meaning: 'provision.txt was created for the server; normal operation ends',
  },
  'source.bad-line': { ...REPEATED, meaning: 'a line of the source is not a reading' },
  'source.command-ended': {
    level: 'warn',
    fields: { restartInMs: 'number' },
    optional: { stderr: 'text' },
    meaning: 'the temperature command ended; it is started again',
  },
  'source.not-closed': { level: 'warn', meaning: 'the source did not close at the end' },
} as const satisfies Readonly<Record<string, EventKind>>;
