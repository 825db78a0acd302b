import { readFileSync } from 'node:fs';
import { Html } from './html.ts';
import type { ChartName, Outcome } from './runView.ts';

declare const CHART_PICTURES: string | undefined;

/** The pictures in state-diagrams/ as JSON, inserted by the build. Tests run the sources, which read the files. */
const BUNDLED: Readonly<Record<ChartName, string>> | undefined =
  typeof CHART_PICTURES === 'undefined' ? undefined : JSON.parse(CHART_PICTURES);

function drawing(chart: ChartName): string {
  if (BUNDLED !== undefined) return BUNDLED[chart];
  return readFileSync(new URL(`../../state-diagrams/${chart}.svg`, import.meta.url), 'utf8');
}

/** Mark of a part of the picture: on the path of the run, its present state, or how it ended. */
export type Mark = 'taken' | 'current' | 'done' | 'attention' | 'failed';

/** Marks by the identifiers of the picture's parts: `provision-state-request`, `provision-edge-route-request-always`. */
export type Marks = Readonly<Record<string, Mark>>;

/** A state or an arrow. Each has its own line in the picture. */
const PART = /^<g id="([^"]+)" class="(?:state|edge) [a-z]+">/;
const partOf = (chart: ChartName, line: string): string | undefined => {
  const [, id] = PART.exec(line) ?? [];
  return id === undefined ? undefined : `${chart}-${id}`;
};

/** Identifiers of the states and arrows in a picture. */
export const pictureParts = (chart: ChartName): readonly string[] =>
  drawing(chart)
    .split('\n')
    .flatMap((line) => partOf(chart, line) ?? []);

/** A chart for a page, with marks. Size and colours come from the page. */
export function chartPicture(chart: ChartName, marks: Marks): Html {
  const source = drawing(chart);
  const lines = source
    .slice(source.indexOf('<svg'))
    .replace(/<svg ([^>]*?)width="[^"]*" height="[^"]*"/, `<svg role="img" aria-label="Statechart: ${chart}" $1`)
    .replace(/<style>.*?<\/style>\n/s, '')
    .replace(/<rect class="paper"[^>]*>\n/, '')
    .replace(/<\/svg>\n*$/, '')
    .split('\n');
  const drawn: string[] = [];
  // Arrows overlap, so marked arrows are drawn last.
  const above: string[] = [];
  for (const line of lines) {
    const id = partOf(chart, line);
    const mark = id === undefined ? undefined : marks[id];
    const own = id === undefined ? line : line.replace(/id="[^"]+"/, `id="${id}"`);
    const marked = mark === undefined ? own : own.replace('>', ` data-mark="${mark}">`);
    (mark !== undefined && line.includes('class="edge') ? above : drawn).push(marked);
  }
  return new Html(`${[...drawn, ...above].join('\n')}</svg>`);
}

const ENDINGS: Readonly<Record<Outcome, Mark>> = {
  none: 'taken',
  running: 'current',
  waiting: 'current',
  done: 'done',
  attention: 'attention',
  failed: 'failed',
};

/** The transient state, which no history records. */
const TRANSIENT = 'route';

/** Marks the path of a run and its latest state. */
export function pathMarks(chart: ChartName, states: readonly string[], outcome: Outcome): Marks {
  const parts = new Set(pictureParts(chart));
  const marks: Record<string, Mark> = {};
  const mark = (id: string, as: Mark): void => {
    if (parts.has(id)) marks[id] = as;
  };
  const arrows = (from: string, to: string): string[] =>
    [...parts].filter((id) => id.startsWith(`${chart}-edge-${from}-${to}-`));
  states.forEach((state, index) => {
    mark(`${chart}-state-${state}`, 'taken');
    const from = states[index - 1];
    if (from === undefined) return;
    const direct = arrows(from, state);
    const leading = [...arrows(from, TRANSIENT), ...arrows(TRANSIENT, state)];
    // Without a direct arrow, the chart went through its transient state.
    const taken = direct.length > 0 ? direct : leading.length > 1 ? [...leading, `${chart}-state-${TRANSIENT}`] : [];
    for (const id of taken) mark(id, 'taken');
  });
  const last = states.at(-1);
  if (last !== undefined) mark(`${chart}-state-${last}`, ENDINGS[outcome]);
  return marks;
}
