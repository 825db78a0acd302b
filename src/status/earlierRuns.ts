import type { LogRecord } from '../log/log.ts';

/** What events.jsonl tells of one run. */
export interface RecordedRun {
  readonly runId: string;
  readonly startedAt: string;
  readonly endedAt: string;
  /** How often it went on after an interruption. */
  readonly resumes: number;
  readonly end: 'provisioned' | 'failed' | 'withdrawn' | 'superseded' | 'interrupted' | 'cut';
  /** The agent’s own sentence about its end. */
  readonly message: string;
  /** A device that this run has left unused. */
  readonly former: string | null;
}

const ENDS: Readonly<Record<string, RecordedRun['end']>> = {
  'run.provisioned': 'provisioned',
  'run.failed': 'failed',
  'run.withdrawn': 'withdrawn',
  'run.superseded': 'superseded',
  'run.interrupted': 'interrupted',
};

function toRun(runId: string, records: readonly LogRecord[]): RecordedRun {
  const last = records.findLast(({ event }) => event in ENDS || event === 'run.resumed' || event === 'run.started');
  const former = records.findLast(({ event }) => event === 'device.former')?.details.former;
  return {
    runId,
    startedAt: records[0]?.time ?? '',
    endedAt: records.at(-1)?.time ?? '',
    resumes: records.filter(({ event }) => event === 'run.resumed').length,
    end: ENDS[last?.event ?? ''] ?? 'cut',
    message: last !== undefined && last.event in ENDS ? last.message : '',
    former: typeof former === 'string' ? former : null,
  };
}

/** The runs in a log, oldest first. */
export function recordedRuns(records: readonly LogRecord[]): readonly RecordedRun[] {
  const byRun = new Map<string, LogRecord[]>();
  for (const record of records) {
    if (record.runId === null) continue;
    const own = byRun.get(record.runId);
    if (own === undefined) byRun.set(record.runId, [record]);
    else own.push(record);
  }
  return [...byRun].map(([runId, own]) => toRun(runId, own));
}
