/** Reads the transitions of the chart from a run's log. */

import { FINAL_STATES } from '../../../../machines/provision.states.ts';
import { ANY_STATE, type ChartEdge, type ChartGraph } from '../../../../scripts/diagrams/chartGraph.ts';

/** A line of the agent's JSON log. */
export interface Line {
  readonly event: string;
  readonly state: string | null;
  readonly message: string;
  readonly code?: string;
  readonly from?: string;
  /** The reason of a pause. */
  readonly ms?: number;
  readonly waitingFor?: string;
}

/** A step enters a state. All lines until the next step belong to this state. */
export interface Step {
  /** The previous state; null: the start of the run. */
  readonly from: string | null;
  readonly to: string;
  readonly resumed: boolean;
  /** The lines of the previous state. */
  readonly before: readonly Line[];
  /** The line about the entry. */
  readonly entry: Line;
  /** The number of that line in the log, from 1. */
  readonly line: number;
}

export const linesIn = (output: string): readonly Line[] =>
  output.split('\n').flatMap((text) => (text.startsWith('{') ? [JSON.parse(text)] : []));

/** Final states have no `state.entered`: the run's last line is their entry. */
const ENTRIES: ReadonlySet<string> = new Set([
  'state.entered',
  'backoff.waiting',
  ...FINAL_STATES.map((state) => (state === 'notRequested' ? 'run.nothing' : `run.${state}`)),
]);

const isEntry = ({ event, state }: Line): boolean => state !== null && ENTRIES.has(event);

export function stepsOf(lines: readonly Line[]): readonly Step[] {
  const steps: Step[] = [];
  let from: string | null = null;
  let resumed = false;
  let before: Line[] = [];
  for (const [index, line] of lines.entries()) {
    if (line.event === 'run.started' || line.event === 'run.resumed') {
      from = line.from ?? null;
      resumed = line.from !== undefined;
      before = [];
    }
    if (isEntry(line) && line.state !== null) {
      steps.push({ from, to: line.state, resumed, before, entry: line, line: index + 1 });
      from = line.state;
      resumed = false;
      before = [];
    }
    before.push(line);
  }
  return steps;
}

export const edgeText = ({ from, to, event, guard }: ChartEdge): string =>
  `${from} → ${to}${event === '' ? '' : ` : ${event}`}${guard === null ? '' : ` [${guard}]`}`;

type Evidence = (step: Step) => boolean;
const code =
  (...codes: readonly string[]): Evidence =>
  ({ entry }) =>
    codes.includes(entry.code ?? '');
const waitsFor =
  (what: string): Evidence =>
  ({ entry }) =>
    entry.waitingFor === what;
const logged =
  (event: string): Evidence =>
  ({ before }) =>
    before.some((line) => line.event === event);
const both =
  (a: Evidence, b: Evidence): Evidence =>
  (step) =>
    a(step) && b(step);

/**
 * The evidence for transitions between the same two states, by their text. One transition of each group may be missing:
 * it is chosen when there is no evidence for another one.
 */
const EVIDENCE: Readonly<Record<string, Evidence>> = {
  'reconcile → failed : done [isNameTaken]': code('DEVICE_NAME_TAKEN', 'PROVISIONING_REFUSED'),
  'reconcile → failed : done [unknownTooOften]': both(logged('reconcile.refused'), code('CONNECTION_LOST')),
  'reconcile → backoff : done [mustProbeAgain]': waitsFor('probe'),
  'reconcile → backoff : done [outcomeIsUnknown]': both(waitsFor('retry'), logged('reconcile.refused')),
  'request → reconcile : done [answeredFailure]': logged('request.failure'),
  'verifyCredentials → failed : done [refusedForGood]': code('CREDENTIALS_REFUSED'),
  'verifyCredentials → backoff : done': waitsFor('verification'),
  'write → failed : done [changedTooOften]': code('CONFIG_KEEPS_CHANGING'),
  'restore → failed : done': code('CONFIG_NOT_WRITTEN'),
  '* → failed : TIME_UP': code('RUN_TIME_LIMIT'),
  '* → failed : RESUME [resumedTooOften]': code('RESUME_LOOP'),
};

/** The possible ways of a step: one transition, or two with a transient state between them. */
function waysOf({ states, edges }: ChartGraph, step: Step): readonly (readonly ChartEdge[])[] {
  const transient = states.filter(({ kind }) => kind === 'transient').map(({ name }) => name);
  const starts = edges.filter(({ from, kind }) => {
    const here = from === step.from || from === ANY_STATE;
    return here && (kind === 'resume') === step.resumed;
  });
  const ways = starts.flatMap((first): (readonly ChartEdge[])[] => {
    if (first.to === step.to) return [[first]];
    if (!transient.includes(first.to)) return [];
    return edges.filter(({ from, to }) => from === first.to && to === step.to).map((second) => [first, second]);
  });
  // A state's handler of an event has priority over the chart's.
  const own = ways.filter(
    ([first]) => first?.from !== ANY_STATE || (first !== undefined && edgeText(first) in EVIDENCE),
  );
  return own.length > 0 ? own : ways;
}

/**
 * The transitions of a step.
 * @throws when they are not clear: a new pair of transitions needs evidence above
 */
export function edgesOfStep(graph: ChartGraph, step: Step): readonly ChartEdge[] {
  if (step.from === null) return [];
  const ways = waysOf(graph, step);
  const evidenceOf = (way: readonly ChartEdge[]): Evidence[] => way.flatMap((edge) => EVIDENCE[edgeText(edge)] ?? []);
  const shown = ways.filter((way) => evidenceOf(way).length > 0 && evidenceOf(way).every((evidence) => evidence(step)));
  const chosen = shown.length > 0 ? shown : ways.filter((way) => evidenceOf(way).length === 0);
  const [way] = chosen;
  if (way !== undefined && chosen.length === 1) return way;
  const texts = chosen.map((edges) => edges.map(edgeText).join(', ')).join(' or ');
  throw new Error(`the way from ${step.from} to ${step.to} is not clear: ${texts === '' ? 'there is none' : texts}`);
}
