import type { RecordedRun } from '../history/recordedRuns.ts';
import { elapsedMs, withEntry } from '../history/runHistory.ts';
import { sentenceOf } from '../log/format.ts';
import type { LogRecord } from '../log/log.ts';
import { isEvent } from '../log/recordedEvent.ts';
import { type EventView, outcomeOf, type RunView, type StepView } from './runView.ts';

/** Events at the start of a process. The state before them was interrupted. */
const STARTS = ['run.started', 'run.resumed'] as const;
const ENTRIES = ['state.entered', 'backoff.waiting'] as const;

/** The states of a run, from its log lines. */
export function recordedSteps(records: readonly LogRecord[]): readonly StepView[] {
  let steps: StepView[] = [];
  let interrupted = false;
  for (const record of records) {
    if (isEvent(record, ...STARTS)) interrupted = true;
    const { time, state } = record;
    const last = steps.at(-1);
    if (state === null || (state === last?.state && !interrupted && !isEvent(record, ...ENTRIES))) continue;
    const entry = {
      state,
      enteredAt: time,
      resumed: isEvent(record, 'state.entered') && record.details.resumed === true,
      note: isEvent(record, 'backoff.waiting') ? record.message : '',
    };
    steps = withEntry(steps, entry, last === undefined || interrupted ? null : elapsedMs(last.enteredAt, time));
    interrupted = false;
  }
  return steps;
}

export const eventView = (record: LogRecord): EventView => ({
  time: record.time,
  level: record.level,
  name: record.event,
  text: sentenceOf(record),
});

/** The failure that ended a run, or that caused its present pause. */
export function recordedError(records: readonly LogRecord[]): RunView['error'] {
  const last = records.findLast((record) => isEvent(record, 'run.failed', ...ENTRIES, ...STARTS));
  if (last === undefined || !isEvent(last, 'run.failed', 'backoff.waiting')) return null;
  const { code, hint = '', causes = [] } = last.details;
  return code === undefined ? null : { code, message: last.message, hint, causes };
}

/** Events that name the device. */
const NAMING = [
  'candidate.drawn',
  'candidate.adopted',
  'request.granted',
  'reconcile.accepted',
  'verify.proven',
  'config.written',
  'run.provisioned',
] as const;

/** A run after its first log lines. @param count number of these lines */
export function recordedView(recording: RecordedRun, count: number): RunView {
  const records = recording.records.slice(0, count);
  const steps = recordedSteps(records);
  const last = records.at(-1);
  const state = steps.at(-1)?.state ?? null;
  const interrupted = last !== undefined && isEvent(last, 'run.interrupted');
  const facts: [string, string | null | undefined][] = [
    ['run', recording.runId],
    ['device', records.findLast((record) => isEvent(record, ...NAMING))?.details.deviceName],
    ['state', state],
    ['attempt', last?.attempt?.toString()],
    ['agent version', records.findLast((record) => isEvent(record, 'run.started'))?.details.agentVersion],
  ];
  return {
    chart: 'provision',
    runId: recording.runId,
    state,
    outcome: outcomeOf(state, !interrupted),
    summary: last === undefined ? 'The recording is empty.' : sentenceOf(last),
    next: '',
    command: '',
    facts: facts.filter((fact): fact is [string, string] => typeof fact[1] === 'string'),
    steps,
    error: recordedError(records),
    warnings: [],
    events: records.map(eventView),
    context: null,
  };
}
