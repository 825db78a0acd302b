import * as z from 'zod/mini';
import { fileFailure } from '../failures/fileFailure.ts';
import { readLimited } from '../files/readLimited.ts';
import type { EventName } from '../log/eventTypes.ts';
import { LOG_LEVELS } from '../log/levels.ts';
import type { LogRecord } from '../log/log.ts';
import { notPermitted, type Part, present, problemOf, unusable } from './part.ts';

/** The agent keeps two files of 256 KiB. A much larger file is not its own. */
const MAX_BYTES = 1024 * 1024;
const MAX_LINES = 20_000;
const MAX_TEXT = 20_000;

const ENTERED: EventName = 'state.entered';
const FAILED: EventName = 'run.failed';

const text = z.string().check(z.maxLength(MAX_TEXT));
const detail = z.union([text, z.number(), z.boolean(), z.null(), z.array(text).check(z.maxLength(100))]);
const lineSchema = z.catchall(
  z.object({
    time: z.iso.datetime(),
    level: z.enum(LOG_LEVELS),
    runId: z.nullable(text),
    state: z.nullable(text),
    attempt: z.nullable(z.number()),
    event: text,
    message: text,
  }),
  detail,
);

/** The lines of events.jsonl.1 and events.jsonl, oldest first. */
export interface RecordedEvents {
  readonly records: readonly LogRecord[];
  /** Number of lines that the agent did not write, or that a power loss damaged. */
  readonly skipped: number;
}

function toRecord(line: string): LogRecord | undefined {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch {
    return undefined;
  }
  const parsed = lineSchema.safeParse(json);
  if (!parsed.success) return undefined;
  const { time, level, runId, state, attempt, event, message, ...details } = parsed.data;
  return withLaterFields({ time, level, runId, state, attempt, event, message, details });
}

/** Adds the fields that a line of version 1.0.0 lacks. It has them only in its message. */
function withLaterFields(record: LogRecord): LogRecord {
  const { event, message, state, details } = record;
  if (event === ENTERED && message === `${state} (resumed)`) {
    return { ...record, details: { ...details, resumed: true } };
  }
  // The message of version 1.0.0 ends with the hint.
  return event === FAILED && details.hint === undefined ? { ...record, details: { ...details, hint: '' } } : record;
}

/** Reads the text of an events file: one JSON object for each line. */
export function parseEventLines(content: string): RecordedEvents {
  const lines = content.split('\n').filter((line) => line.trim() !== '');
  const newest = lines.slice(-MAX_LINES);
  const records = newest.map(toRecord).filter((record) => record !== undefined);
  return { records, skipped: lines.length - records.length };
}

async function readLines(path: string): Promise<RecordedEvents> {
  const read = await readLimited(path, MAX_BYTES, false);
  if (read.ok) return parseEventLines(read.bytes.toString('utf8'));
  if (read.problem === 'absent') return { records: [], skipped: 0 };
  if (read.problem === 'not-permitted') throw notPermitted(path, read.cause);
  throw fileFailure(read.cause ?? new Error(read.problem), `read ${path}`);
}

/** Reads the recorded events of a device, at most two files of 1 MiB. @param path events.jsonl */
export async function readEventLines(path: string): Promise<Part<RecordedEvents>> {
  try {
    const older = await readLines(`${path}.1`);
    const newer = await readLines(path);
    return present({ records: [...older.records, ...newer.records], skipped: older.skipped + newer.skipped });
  } catch (error) {
    const { code, message, hint, retryable } = problemOf(error);
    if (code === 'FILE_NOT_PERMITTED') return unusable({ code, message, hint, retryable });
    return unusable({
      code: 'EVENTS_UNREADABLE',
      message,
      hint: `Nothing depends on ${path}. It can be removed.`,
      retryable: false,
    });
  }
}
