import type { LogRecord } from '../log/log.ts';
import { type EventView, outcomeOf, type RunView, type StepView } from './runView.ts';

/** What one run has left in events.jsonl, over all starts that it took. */
export interface Recording {
  readonly runId: string | null;
  readonly records: readonly LogRecord[];
}

/** Takes the lines of an events file apart into runs, oldest first. Lines without a run go with the one that follows. */
export function recordedRuns(records: readonly LogRecord[]): readonly Recording[] {
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

/** Events that mean that a process began: the state before them was cut. */
const STARTS: ReadonlySet<string> = new Set(['run.started', 'run.resumed']);
const ENTRIES: ReadonlySet<string> = new Set(['state.entered', 'backoff.waiting']);

/** Whether the line says that a resumed run entered its state again. Version 1.0.0 said so in the message alone. */
const isResumed = ({ event, message, details }: LogRecord): boolean =>
  event === 'state.entered' && (details.resumed === true || message.endsWith(' (resumed)'));

/** The states of a run as its log lines tell them. */
export function recordedSteps(records: readonly LogRecord[]): readonly StepView[] {
  const steps: StepView[] = [];
  let cut = false;
  for (const record of records) {
    const { time, state, event, message } = record;
    if (STARTS.has(event)) cut = true;
    const last = steps.at(-1);
    if (state === null || (state === last?.state && !cut && !ENTRIES.has(event))) continue;
    if (last !== undefined && !cut) {
      steps[steps.length - 1] = { ...last, durationMs: Math.max(0, Date.parse(time) - Date.parse(last.enteredAt)) };
    }
    steps.push({
      state,
      enteredAt: time,
      durationMs: null,
      attempt: 1 + steps.filter((step) => step.state === state).length,
      resumed: isResumed(record),
      note: event === 'backoff.waiting' ? message : '',
    });
    cut = false;
  }
  return steps;
}

export const eventView = ({ time, level, event, message }: LogRecord): EventView => ({
  time,
  level,
  name: event,
  text: message,
});

const textIn = (record: LogRecord | undefined, key: string): string | undefined => {
  const value = record?.details[key];
  return typeof value === 'string' ? value : undefined;
};

/** The failure that a run ended with, or that it is waiting out. */
export function recordedError(records: readonly LogRecord[]): RunView['error'] {
  const last = records.findLast(({ event }) => event === 'run.failed' || ENTRIES.has(event) || STARTS.has(event));
  const code = textIn(last, 'code');
  if (last === undefined || code === undefined) return null;
  const causes = last.details.causes;
  return { code, message: last.message, hint: '', causes: Array.isArray(causes) ? causes : [] };
}

/** A run as it stood after its first lines. @param count how many of its lines have come */
export function recordedView(recording: Recording, count: number): RunView {
  const records = recording.records.slice(0, count);
  const steps = recordedSteps(records);
  const last = records.at(-1);
  const state = steps.at(-1)?.state ?? null;
  const interrupted = last?.event === 'run.interrupted';
  const drawn = records.findLast((record) => textIn(record, 'deviceName') !== undefined);
  const facts: [string, string | undefined][] = [
    ['run', recording.runId ?? undefined],
    ['device', textIn(drawn, 'deviceName')],
    ['state', state ?? undefined],
    ['attempt', last?.attempt?.toString()],
    [
      'agent version',
      textIn(
        records.findLast(({ event }) => event === 'run.started'),
        'agentVersion',
      ),
    ],
  ];
  return {
    chart: 'provision',
    runId: recording.runId,
    state,
    outcome: outcomeOf(state, !interrupted),
    summary: last === undefined ? 'The recording is empty.' : last.message,
    next: '',
    command: '',
    facts: facts.filter((fact): fact is [string, string] => fact[1] !== undefined),
    steps,
    error: recordedError(records),
    warnings: [],
    events: records.map(eventView),
    context: null,
  };
}
