import type { EventName } from '../log/eventTypes.ts';
import type { LogRecord } from '../log/log.ts';
import { isEvent } from '../log/recordedEvent.ts';

/** The lines of one run in events.jsonl, from all starts that worked on it. */
export interface RecordedRun {
  /** Null: no line of the file names a run. */
  readonly runId: string | null;
  readonly records: readonly LogRecord[];
}

/** Splits the lines of an events file into runs, oldest first. Lines without a run belong to the run that follows. */
export function recordedRuns(records: readonly LogRecord[]): readonly RecordedRun[] {
  const runs = new Map<string, LogRecord[]>();
  let waiting: LogRecord[] = [];
  let latest: LogRecord[] | undefined;
  for (const record of records) {
    if (record.runId === null) {
      waiting.push(record);
      continue;
    }
    latest = runs.get(record.runId) ?? [];
    latest.push(...waiting, record);
    waiting = [];
    runs.set(record.runId, latest);
  }
  if (latest !== undefined) latest.push(...waiting);
  const found = [...runs].map(([runId, lines]) => ({ runId, records: lines }));
  return latest === undefined && waiting.length > 0 ? [{ runId: null, records: waiting }] : found;
}

/** How a run ended, by the event that says so. */
const ENDS = {
  'run.provisioned': 'provisioned',
  'run.failed': 'failed',
  'run.withdrawn': 'withdrawn',
  'run.superseded': 'superseded',
  'run.interrupted': 'interrupted',
  'run.nothing': 'notRequested',
} as const satisfies Partial<Record<EventName, string>>;
type EndEvent = keyof typeof ENDS;

const isEnd = (event: string): event is EndEvent => Object.hasOwn(ENDS, event);
const END_EVENTS = Object.keys(ENDS).filter(isEnd);

/** The summary of an earlier run. */
export interface RunSummary {
  readonly runId: string;
  readonly startedAt: string;
  /** How often the run was resumed. */
  readonly resumes: number;
  /** `killed`: the log has no line about the end, as after a kill or a power loss. */
  readonly end: (typeof ENDS)[EndEvent] | 'killed';
  /** The line about the end. */
  readonly ending: LogRecord | null;
  /** The previous device, which the run left unused. */
  readonly former: string | null;
}

/** Summarizes a recorded run. @returns undefined if no line names a run */
export function summaryOf({ runId, records }: RecordedRun): RunSummary | undefined {
  if (runId === null) return undefined;
  const own = records.filter((record) => record.runId === runId);
  const last = own.findLast((record) => isEvent(record, ...END_EVENTS, 'run.started', 'run.resumed'));
  const ending = last !== undefined && isEvent(last, ...END_EVENTS) ? last : null;
  return {
    runId,
    startedAt: own[0]?.time ?? '',
    resumes: own.filter((record) => isEvent(record, 'run.resumed')).length,
    end: ending === null ? 'killed' : ENDS[ending.event],
    ending,
    former: own.findLast((record) => isEvent(record, 'device.former'))?.details.former ?? null,
  };
}
