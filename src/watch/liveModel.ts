import { hostAndPort } from '../endpoint.ts';
import { isFailureCode, wordsFor } from '../failures/catalogue.ts';
import { elapsedMs, withEntry } from '../history/runHistory.ts';
import { type ChartName, type EventView, outcomeOf, type RunView, type StepView } from '../report/runView.ts';
import type { RedactedEvent, ShownSnapshot } from './redact.ts';

const MAX_RUNS = 4;
const MAX_STEPS = 100;
const MAX_EVENTS = 200;
const MAX_TEXT = 300;

/** One chart that runs, or has run, in this process. */
interface LiveRun {
  readonly chart: ChartName;
  steps: readonly StepView[];
  events: readonly EventView[];
  snapshot: ShownSnapshot | undefined;
}

export interface LiveModel {
  add(event: RedactedEvent): void;
  /** Newest first. */
  views(): readonly RunView[];
}

const isChart = (name: string): name is ChartName => name === 'provision' || name === 'telemetry';

/** `{ publishing: 'sending' }` is `publishing` in the picture and `publishing.sending` in the text. */
function statePath(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, nested]) => [name, ...statePath(nested)]);
}

function textOf(fields: object): string {
  const text = Object.keys(fields).length === 0 ? '' : JSON.stringify(fields);
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text;
}

/** Collects the states and events of a process's charts. The oldest are dropped. */
export function createLiveModel(): LiveModel {
  const runs = new Map<string, LiveRun>();
  return {
    add(event) {
      if (event.type === '@xstate.actor') {
        if (event.parentId !== undefined || !isChart(event.name)) return;
        runs.set(event.sessionId, { chart: event.name, steps: [], events: [], snapshot: undefined });
        for (const oldest of [...runs.keys()].slice(0, -MAX_RUNS)) runs.delete(oldest);
        return;
      }
      const run = runs.get(event.sessionId);
      if (run === undefined) return;
      const time = new Date(Number(event.createdAt)).toISOString();
      if (event.type === '@xstate.event') {
        const { type, ...fields } = event.event;
        const level = type.startsWith('xstate.error.') ? 'warn' : 'info';
        run.events = [...run.events, { time, level, name: type, text: textOf(fields) } as const].slice(-MAX_EVENTS);
        return;
      }
      run.snapshot = event.snapshot;
      enter(run, time, event.event.type);
    },
    views: () => [...runs.values()].toReversed().map(viewOf),
  };
}

function enter(run: LiveRun, enteredAt: string, event: string): void {
  const [state] = statePath(run.snapshot?.value);
  const last = run.steps.at(-1);
  const resumed = event === 'RESUME';
  if (state === undefined || (state === last?.state && !resumed)) return;
  // RESUME follows an interruption, so the duration of the state before it is unknown.
  const lastedMs = last === undefined || resumed ? null : elapsedMs(last.enteredAt, enteredAt);
  run.steps = withEntry(run.steps, { state, enteredAt, resumed, note: '' }, lastedMs, MAX_STEPS);
}

function fieldOf(context: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (value, key) => (typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined),
    context,
  );
}

const textAt = (context: unknown, ...path: readonly string[]): string | undefined => {
  const value = fieldOf(context, ...path);
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
};

function viewOf({ chart, steps, events, snapshot }: LiveRun): RunView {
  const context = snapshot?.context;
  const path = statePath(snapshot?.value).join('.');
  const state = steps.at(-1)?.state ?? null;
  const host = textAt(context, 'settings', 'server', 'host');
  const retries = fieldOf(context, 'retries');
  const facts: [string, string | undefined][] = [
    ['state', path === '' ? undefined : path],
    ['device', textAt(context, 'granted', 'deviceName') ?? textAt(context, 'deviceName')],
    ['server', host && hostAndPort({ host, port: Number(textAt(context, 'settings', 'server', 'port')) })],
    ['run', textAt(context, 'runId')],
    ['attempt', typeof retries === 'number' ? String(retries + 1) : undefined],
    ['messages published', textAt(context, 'messages')],
    ['connections', textAt(context, 'connections')],
  ];
  return {
    chart,
    runId: textAt(context, 'runId') ?? null,
    state,
    outcome: outcomeOf(state, true),
    summary: path === '' ? 'The chart has not started yet.' : `The chart of ${chart} is in ${path}.`,
    next: '',
    command: '',
    facts: facts.filter((fact): fact is [string, string] => fact[1] !== undefined),
    steps,
    error: errorIn(context),
    warnings: [],
    events: events.toReversed(),
    context: context === undefined ? null : JSON.stringify(context, null, 2),
  };
}

/** The failure that ended a run, or that caused its present pause. */
function errorIn(context: unknown): RunView['error'] {
  const waiting =
    typeof fieldOf(context, 'waitingFor') === 'string' || fieldOf(context, 'failuresInARow') !== undefined;
  const failure = fieldOf(context, 'error') ?? (waiting ? fieldOf(context, 'lastFailure') : undefined);
  const code = textAt(failure, 'code');
  if (code === undefined) return null;
  const causes = fieldOf(failure, 'causes');
  return { code, ...wordsOf(failure, code), causes: Array.isArray(causes) ? causes.map(String) : [] };
}

/** A failure that the chart itself detected has no message and hint (ChartFailure). */
function wordsOf(failure: unknown, code: string): { readonly message: string; readonly hint: string } {
  const situation = textAt(failure, 'situation');
  if (situation === undefined || !isFailureCode(code)) {
    return { message: textAt(failure, 'message') ?? '', hint: textAt(failure, 'hint') ?? '' };
  }
  const facts = Object.entries(Object(fieldOf(failure, 'facts'))).map(([name, fact]) => [name, String(fact)]);
  return wordsFor(code, situation, Object.fromEntries(facts));
}
