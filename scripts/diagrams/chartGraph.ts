import type { AnyStateMachine, AnyStateNode } from 'xstate';

/** A chart as nodes and edges, the source of every picture. */
export interface ChartGraph {
  readonly id: string;
  readonly description: string;
  readonly initial: string;
  readonly states: readonly ChartState[];
  readonly edges: readonly ChartEdge[];
}

export interface ChartState {
  /** XState's identifier of the state, the same in every drawing: `provision.request`. */
  readonly id: string;
  /** Path of names below the chart: `publishing.sending`. */
  readonly name: string;
  readonly description: string;
  readonly kind: 'active' | 'transient' | 'final';
  /** The effect that runs in the state. */
  readonly effect: string | null;
}

export interface ChartEdge {
  readonly from: string;
  readonly to: string;
  readonly event: string;
  readonly guard: string | null;
  readonly kind: 'done' | 'error' | 'after' | 'always' | 'resume' | 'event' | 'initial';
}

interface Transition {
  readonly eventType: string;
  readonly guard?: unknown;
  readonly target?: readonly AnyStateNode[] | undefined;
}

const EVENTLESS = '';

function edgeKind(eventType: string): ChartEdge['kind'] {
  if (eventType === EVENTLESS) return 'always';
  if (eventType.startsWith('xstate.done.')) return 'done';
  if (eventType.startsWith('xstate.error.')) return 'error';
  if (eventType.startsWith('xstate.after.')) return 'after';
  return eventType === 'RESUME' ? 'resume' : 'event';
}

/** The readable form of an event type: `xstate.after.untilRetry.provision.backoff` becomes `after untilRetry`. */
function eventLabel(eventType: string, kind: ChartEdge['kind']): string {
  if (kind === 'after') return `after ${eventType.split('.')[2] ?? ''}`;
  if (kind === 'always') return '';
  return kind === 'resume' || kind === 'event' ? eventType : kind;
}

function guardName(guard: unknown): string | null {
  if (typeof guard === 'string') return guard;
  if (typeof guard === 'object' && guard !== null && 'type' in guard) return String(guard.type);
  return null;
}

const nameOf = (node: AnyStateNode): string => node.path.join('.');

const toEdges = (from: string, transitions: Iterable<Transition>): ChartEdge[] =>
  [...transitions].flatMap(({ eventType, guard, target }) => {
    const kind = edgeKind(eventType);
    const edge = { from, event: eventLabel(eventType, kind), guard: guardName(guard), kind };
    return (target ?? []).map((node) => ({ ...edge, to: nameOf(node) }));
  });

function edgesOf(node: AnyStateNode): ChartEdge[] {
  const transitions = [...node.transitions.values()].flat();
  const entered = Object.keys(node.states).length === 0 ? [] : (node.initial.target ?? []);
  const initial = entered.map((child) => {
    return { from: nameOf(node), to: nameOf(child), event: '', guard: null, kind: 'initial' as const };
  });
  return [...initial, ...toEdges(nameOf(node), [...transitions, ...(node.always ?? [])])];
}

function toState(node: AnyStateNode): ChartState {
  const effect = node.invoke[0]?.src;
  const transient = (node.always?.length ?? 0) > 0;
  return {
    id: node.id,
    name: nameOf(node),
    description: node.description ?? '',
    kind: node.type === 'final' ? 'final' : transient ? 'transient' : 'active',
    effect: typeof effect === 'string' ? effect : null,
  };
}

/** Source name of the chart's own transitions, which are valid in every state. */
export const ANY_STATE = '*';

/** A state and its nested states. */
const withNested = (node: AnyStateNode): AnyStateNode[] => [node, ...Object.values(node.states).flatMap(withNested)];

/** Reads the graph of a machine without running it. A nested state is drawn beside its parent. */
export function chartGraph(machine: AnyStateMachine): ChartGraph {
  const { root } = machine;
  const nodes = Object.values(root.states).flatMap(withNested);
  const anywhere = toEdges(ANY_STATE, [...root.transitions.values()].flat());
  return {
    id: machine.id,
    description: root.description ?? '',
    initial: root.initial.target[0]?.key ?? '',
    states: nodes.map(toState),
    edges: [...nodes.flatMap(edgesOf), ...anywhere],
  };
}

/** The graph without resume transitions, transitions of every state and the default arrows of errors to `failed`. */
export const mainFlow = (graph: ChartGraph): ChartGraph => ({
  ...graph,
  edges: graph.edges.filter(
    ({ kind, from, to }) => kind !== 'resume' && from !== ANY_STATE && !(kind === 'error' && to === 'failed'),
  ),
});
