import { describe, expect, it } from 'vitest';
import { provisionMachine } from '../../machines/provision.machine.ts';
import { telemetryMachine } from '../../machines/telemetry.machine.ts';
import { type Box, TEXT_SIZE, TITLE_SIZE, textWidth } from '../../scripts/diagrams/boxes.ts';
import { type ChartGraph, chartGraph, mainFlow } from '../../scripts/diagrams/chartGraph.ts';
import { arrowsOf, COLUMN } from '../../scripts/diagrams/columns.ts';
import { toSvg } from '../../scripts/diagrams/drawChart.ts';
import { layOut, type Point, type Route } from '../../scripts/diagrams/routes.ts';

const provision = chartGraph(provisionMachine);
const CHARTS: readonly (readonly [string, ChartGraph])[] = [
  ['provisioning', mainFlow(provision)],
  ['provisioning with every arrow', provision],
  ['telemetry', chartGraph(telemetryMachine)],
];

interface Area {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

const areaOf = ({ x, y, width, height }: Box): Area => ({ left: x, right: x + width, top: y, bottom: y + height });
const overlap = (a: Area, b: Area): boolean =>
  a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;

/** The straight pieces of an arrow. */
const pieces = ({ corners }: Route): Area[] =>
  corners.slice(1).map((to, index) => {
    const from: Point = corners[index] ?? to;
    return {
      left: Math.min(from.x, to.x),
      right: Math.max(from.x, to.x),
      top: Math.min(from.y, to.y),
      bottom: Math.max(from.y, to.y),
    };
  });

/** Every text of a picture with its area, as estimated from Arial's widths. */
function textsOf(svg: string): (Area & { readonly text: string })[] {
  return [...svg.matchAll(/<text x="([\d.]+)" y="([\d.]+)" text-anchor="(\w+)"([^>]*)>([^<]*)</g)].map(
    ([, x, y, anchor, look, text = '']) => {
      const size = look?.includes('title') ? TITLE_SIZE : TEXT_SIZE;
      const width = textWidth(text, size);
      const left = Number(x) - (anchor === 'start' ? 0 : anchor === 'middle' ? width / 2 : width);
      return { text, left, right: left + width, top: Number(y) - size * 0.75, bottom: Number(y) + size * 0.2 };
    },
  );
}

describe.each(CHARTS)('the picture of %s', (_name, graph) => {
  const layout = layOut(graph);
  const { boxes, routes } = layout;
  const texts = textsOf(toSvg(graph));

  it('has the main path in one straight column, retries on its left and endings on its right', () => {
    const centres = (column: number) =>
      boxes.filter(({ state }) => state.column === column).map(({ x, width }) => x + width / 2);
    const [main, ...others] = new Set(centres(COLUMN.main));
    expect(others).toEqual([]);
    expect(Math.max(...centres(COLUMN.retries))).toBeLessThan(main ?? 0);
    expect(Math.min(...centres(COLUMN.endings))).toBeGreaterThan(main ?? 0);
    const path = boxes.filter(({ state }) => state.column === COLUMN.main);
    for (const [index, { state }] of path.slice(1).entries()) {
      const leading = routes.filter(({ exit, box }) => exit.way === 'straight' && box === path[index]);
      expect(leading.map(({ exit }) => exit.arrow.to)).toEqual([state.name]);
      expect(new Set(leading.flatMap(({ corners }) => corners.map(({ x }) => x)))).toEqual(new Set([main]));
    }
  });

  it('has every state and every arrow once', () => {
    expect(new Set(routes.map(({ exit }) => exit.arrow.id))).toEqual(new Set(arrowsOf(graph).map(({ id }) => id)));
    for (const { name } of graph.states) expect(boxes.filter(({ state }) => state.name === name)).toHaveLength(1);
  });

  it('has no line through a box, a text or beyond its edge', () => {
    for (const route of routes) {
      for (const piece of pieces(route)) {
        const where = { arrow: route.exit.arrow.id, piece };
        expect(boxes.filter((box) => overlap(areaOf(box), piece)).map(({ title }) => ({ title, where }))).toEqual([]);
        expect(texts.filter((text) => overlap(text, piece)).map(({ text }) => ({ text, where }))).toEqual([]);
        expect(
          piece.left > 0 && piece.right < layout.width && piece.bottom < layout.height,
          JSON.stringify(where),
        ).toBe(true);
      }
    }
  });

  it('has no line on top of another, unless both lead to the same state with the same kind of arrow', () => {
    const near = 5;
    for (const route of routes) {
      for (const other of routes) {
        const [a, b] = [route.exit.arrow, other.exit.arrow];
        if (a.to === b.to && a.kind === b.kind) continue;
        for (const piece of pieces(route)) {
          const beside = pieces(other).filter((line) => {
            const isUpright = piece.left === piece.right;
            if (isUpright !== (line.left === line.right)) return false;
            const wide = isUpright
              ? { ...piece, left: piece.left - near, right: piece.right + near }
              : { ...piece, top: piece.top - near, bottom: piece.bottom + near };
            return overlap(wide, line);
          });
          expect({ a: a.id, b: b.id, beside }).toEqual({ a: a.id, b: b.id, beside: [] });
        }
      }
    }
  });

  it('has every text in a box, and no overlapping texts', () => {
    for (const text of texts) {
      const within = boxes.map(areaOf).filter((box) => {
        return text.left >= box.left && text.right <= box.right && text.top >= box.top && text.bottom <= box.bottom;
      });
      expect({ text: text.text, boxes: within.length }).toEqual({ text: text.text, boxes: 1 });
      const over = texts.filter((other) => other !== text && overlap(other, text));
      expect({ text: text.text, over }).toEqual({ text: text.text, over: [] });
    }
  });
});

it('distinguishes retries and endings by the targets of their arrows', () => {
  const { boxes } = layOut(provision);
  const inColumn = (column: number) => boxes.filter(({ state }) => state.column === column).map(({ title }) => title);
  expect(inColumn(COLUMN.retries).toSorted()).toEqual(['any state', 'backoff', 'reconcile']);
  expect(inColumn(COLUMN.endings).toSorted()).toEqual(['failed', 'notRequested', 'restore', 'superseded', 'withdrawn']);
});

it('is readable in a README: at most 800 pixels wide, no text smaller than 12 pixels', () => {
  expect(layOut(mainFlow(provision)).width).toBeLessThanOrEqual(800);
  expect(TEXT_SIZE).toBeGreaterThanOrEqual(12);
});

it('draws arrows of one kind between the same states as one arrow with all labels', () => {
  const arrows = arrowsOf(mainFlow(provision)).filter(({ from, to }) => from === 'reconcile' && to === 'backoff');
  expect(arrows.map(({ id, labels }) => [id, labels])).toEqual([
    ['edge-reconcile-backoff-done', ['mustProbeAgain', 'outcomeIsUnknown']],
    ['edge-reconcile-backoff-error', ['error: mayRetry']],
  ]);
});

it('refuses a chart without the edges of the main path', () => {
  const broken = { ...provision, edges: provision.edges.filter(({ from }) => from !== 'backup') };
  expect(() => layOut(broken)).toThrow('The main path of provision is not in the chart: write');
});
