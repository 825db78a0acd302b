import { readFileSync } from 'node:fs';
import { escapeHtml, Html } from './html.ts';
import type { ChartName, Outcome } from './runView.ts';

declare const CHART_PICTURES: string | undefined;

/** The pictures in state-diagrams/, put in by the build as JSON; sources run directly (tests) read the files. */
const BUNDLED: Readonly<Record<ChartName, string>> | undefined =
  typeof CHART_PICTURES === 'undefined' ? undefined : JSON.parse(CHART_PICTURES);

function drawing(chart: ChartName): string {
  if (BUNDLED !== undefined) return BUNDLED[chart];
  return readFileSync(new URL(`../../state-diagrams/${chart}.svg`, import.meta.url), 'utf8');
}

/** What a part of the picture shows of a run: passed through, where it stands, how it ended. */
export type Mark = 'taken' | 'current' | 'done' | 'attention' | 'failed';

/** Marks by the identifiers of the picture's parts: `provision-state-request`, `provision-edge-route-request-always`. */
export type Marks = Readonly<Record<string, Mark>>;

const GROUP = /<g id="(?:state|edge)&#45;([^"]*)" class="(?:node|edge) ([a-z]+) ([a-z]+)">/g;
const partName = (chart: ChartName, kind: string, rest: string): string =>
  `${chart}-${kind}-${rest.replaceAll('&#45;', '-')}`;

/** Identifiers of a picture's states and arrows. */
export function pictureParts(chart: ChartName): readonly string[] {
  return [...drawing(chart).matchAll(GROUP)].map(([, rest = '', kind = '']) => partName(chart, kind, rest));
}

/** A chart as part of a page: without a size or colours of its own, its parts marked. */
export function chartPicture(chart: ChartName, marks: Marks): Html {
  const source = drawing(chart);
  const drawn = source
    .slice(source.indexOf('<svg'))
    .replaceAll(/<!--.*?-->\n?/gs, '')
    .replace(/<svg width="[^"]*" height="[^"]*"/, `<svg role="img" aria-label="Statechart: ${escapeHtml(chart)}"`)
    .replace(/<polygon fill="white" stroke="none"[^>]*>/, '')
    .replace(/<title>[^<]*<\/title>\n?/, '')
    .replaceAll(GROUP, (_group, rest: string, kind: string, look: string) => {
      const id = partName(chart, kind, rest);
      const mark = marks[id];
      return `<g id="${id}" class="${kind} ${look}"${mark === undefined ? '' : ` data-mark="${mark}"`}>`;
    })
    .replaceAll(/<g id="(?:graph0|start|edge\d+|node\d+)"/g, '<g');
  return new Html(drawn);
}

const ENDINGS: Readonly<Record<Outcome, Mark>> = {
  none: 'taken',
  running: 'current',
  waiting: 'current',
  done: 'done',
  attention: 'attention',
  failed: 'failed',
};

/** The transient state that the chart passes on its way between two others. */
const TRANSIENT = 'route';

/** Marks the path that a run has taken, and where it stands. */
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
    // Drawn arrows name one way; without a direct one the chart came by its transient state.
    const taken = direct.length > 0 ? direct : leading.length > 1 ? [...leading, `${chart}-state-${TRANSIENT}`] : [];
    for (const id of taken) mark(id, 'taken');
  });
  const last = states.at(-1);
  if (last !== undefined) mark(`${chart}-state-${last}`, ENDINGS[outcome]);
  return marks;
}
