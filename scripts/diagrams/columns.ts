import { STEPS } from '../../machines/provision.states.ts';
import { ANY_STATE, type ChartEdge, type ChartGraph, type ChartState } from './chartGraph.ts';

/** The columns of a picture, numbered from left to right. */
export const COLUMN = { retries: 0, main: 1, endings: 2 } as const;
export type Column = (typeof COLUMN)[keyof typeof COLUMN];

/** The states of a chart's successful run, from top to bottom. The chart determines all other places. */
const MAIN_PATHS: Readonly<Record<string, readonly string[]>> = {
  // `route` is not in the table: the chart leaves it at once.
  provision: [...STEPS.flatMap((step) => (step === 'request' ? ['route', step] : [step])), 'provisioned'],
  telemetry: ['connecting', 'publishing', 'publishing.sending', 'publishing.pausing'],
};

export interface PlacedState extends Omit<ChartState, 'kind' | 'id'> {
  readonly kind: ChartState['kind'] | 'any';
  readonly column: Column;
  /** Row in the main path; in other columns: row of the first main state that leads here. */
  readonly row: number;
}

/** One arrow for all transitions of one kind between the same two states, with a label for each transition. */
export interface Arrow {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  readonly kind: ChartEdge['kind'];
  readonly labels: readonly string[];
}

/**
 * The states of a chart in three columns: the main path, the states that lead back to it, and the endings.
 * @throws Error when the chart lacks an edge of the main path
 */
export function placeStates(graph: ChartGraph): readonly PlacedState[] {
  const path = MAIN_PATHS[graph.id] ?? [];
  const next = (from: string, to: string): boolean => graph.edges.some((edge) => edge.from === from && edge.to === to);
  const broken = path.find((name, index) => index > 0 && !next(path[index - 1] ?? '', name));
  if (path[0] !== graph.initial || broken !== undefined) {
    throw new Error(
      `The main path of ${graph.id} is not in the chart: ${broken ?? path[0]} (scripts/diagrams/columns.ts)`,
    );
  }
  const anywhere = graph.edges.some(({ from }) => from === ANY_STATE);
  const anyState = { name: ANY_STATE, description: '', kind: 'any', effect: null } as const;
  const endings = endingsOf(graph, path);
  return [...(anywhere ? [anyState] : []), ...graph.states].map((state) => {
    const index = path.indexOf(state.name);
    const leaders = graph.edges.filter(({ to }) => to === state.name).map(({ from }) => path.indexOf(from));
    const first = Math.min(...leaders.filter((row) => row >= 0), path.length);
    const column = index >= 0 ? COLUMN.main : endings.has(state.name) ? COLUMN.endings : COLUMN.retries;
    return { ...state, column, row: index >= 0 ? index : first === path.length ? 0 : first };
  });
}

/** The final states, and the states from which every arrow leads to an ending. */
function endingsOf({ states, edges }: ChartGraph, path: readonly string[]): ReadonlySet<string> {
  const endings = new Set(states.filter(({ kind }) => kind === 'final').map(({ name }) => name));
  const others = [ANY_STATE, ...states.map(({ name }) => name)].filter((name) => !path.includes(name));
  for (let size = -1; size !== endings.size; ) {
    size = endings.size;
    for (const name of others) {
      const targets = edges.filter(({ from, to }) => from === name && to !== name).map(({ to }) => to);
      if (targets.every((to) => endings.has(to))) endings.add(name);
    }
  }
  return endings;
}

/** Label of an arrow: its event (except the end of the effect) and its guard. */
function labelOf(edge: ChartEdge, edges: readonly ChartEdge[]): string {
  const { from, event, guard, kind } = edge;
  const siblings = edges.filter((other) => other.from === from && other.event === event && other.guard !== null);
  const condition = guard ?? (siblings.length > 0 ? 'otherwise' : '');
  if (kind === 'done' || event === '') return condition === '' ? event : condition;
  return condition === '' ? event : `${event}: ${condition}`;
}

export function arrowsOf({ edges }: ChartGraph): readonly Arrow[] {
  const arrows = new Map<string, Arrow>();
  for (const edge of edges) {
    const { from, to, kind } = edge;
    const id = `edge-${from === ANY_STATE ? 'any' : from}-${to}-${kind}`;
    const labels = new Set([...(arrows.get(id)?.labels ?? []), labelOf(edge, edges)]);
    arrows.set(id, { id, from, to, kind, labels: [...labels].filter((label) => label !== '') });
  }
  return [...arrows.values()];
}
