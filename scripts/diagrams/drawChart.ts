import { type Box, PADDING, TEXT_SIZE, TITLE_SIZE } from './boxes.ts';
import type { ChartEdge, ChartGraph } from './chartGraph.ts';
import { COLUMN } from './columns.ts';
import { type Layout, layOut, type Point, type Route, START_HEIGHT } from './routes.ts';

type Look = ChartEdge['kind'] | 'path' | 'paper' | 'ink' | 'quiet' | 'box' | 'frame';

const LIGHT: Readonly<Record<Look, string>> = {
  paper: '#ffffff',
  box: '#f6f8fa',
  frame: '#8c959f',
  ink: '#1f2328',
  quiet: '#59636e',
  path: '#1a7f37',
  done: '#59636e',
  error: '#cf222e',
  after: '#9a6700',
  always: '#59636e',
  resume: '#0969da',
  event: '#59636e',
  initial: '#59636e',
};
const DARK: Readonly<Record<Look, string>> = {
  paper: '#0d1117',
  box: '#161b22',
  frame: '#656c76',
  ink: '#e6edf3',
  quiet: '#9198a1',
  path: '#3fb950',
  done: '#9198a1',
  error: '#f85149',
  after: '#d29922',
  always: '#9198a1',
  resume: '#4493f8',
  event: '#9198a1',
  initial: '#9198a1',
};
const KINDS = ['done', 'error', 'after', 'always', 'resume', 'event', 'initial'] as const;

const colours = (of: Readonly<Record<Look, string>>): string =>
  [
    `svg{background:${of.paper}}.paper{fill:${of.paper}}`,
    `text{fill:${of.quiet}}.title{fill:${of.ink}}`,
    `.state rect{fill:${of.box};stroke:${of.frame}}`,
    ...KINDS.map((kind) => `.${kind} path{stroke:${of[kind]}}.${kind} polygon,.${kind} text{fill:${of[kind]}}`),
    `.main rect,.main path{stroke:${of.path}}.main polygon,.main circle,.main .edge text{fill:${of.path}}`,
  ].join('\n');

/** Styles of the picture as a file. A page that embeds the picture has its own styles. */
const STYLE = `${colours(LIGHT)}
path{fill:none;stroke-width:1.3}
rect{stroke-width:1}
.main path{stroke-width:3}
.main rect{stroke-width:2}
.transient rect,.any rect{stroke-dasharray:5 3}
@media (prefers-color-scheme:dark){
${colours(DARK)}
}`;

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const escaped = (text: string): string => text.replaceAll(/[&<>"]/g, (character) => ENTITIES[character] ?? '');

/** A coordinate, rounded to a tenth of a pixel. */
const short = (value: number): string => String(Math.round(value * 10) / 10);
const at = ({ x, y }: Point): string => `${short(x)} ${short(y)}`;

interface Text {
  readonly at: Point;
  readonly anchor: 'start' | 'middle' | 'end';
  readonly look?: string;
}

const textElement = (text: string, { at: { x, y }, anchor, look }: Text): string =>
  `<text x="${short(x)}" y="${short(y)}" text-anchor="${anchor}"${look === undefined ? '' : ` class="${look}"`}>${escaped(text)}</text>`;

function stateElement({ state, title, lines, x, y, width, height }: Box): string {
  const rect = (inset: number): string =>
    `<rect x="${short(x + inset)}" y="${short(y + inset)}" width="${short(width - 2 * inset)}" height="${short(height - 2 * inset)}" rx="${8 - inset}"/>`;
  const middle = x + width / 2;
  return [
    `<g id="state-${state.kind === 'any' ? 'any' : state.name}" class="state ${state.kind}">`,
    rect(0),
    ...(state.kind === 'final' ? [rect(3)] : []),
    textElement(title, { at: { x: middle, y: y + 18 }, anchor: 'middle', look: 'title' }),
    ...lines.map((line, index) => textElement(line, { at: { x: middle, y: y + 34 + index * 15 }, anchor: 'middle' })),
    '</g>',
  ].join('');
}

const CORNER = 5;
const HEAD = { length: 8, half: 4 };

const towards = (from: Point, to: Point, distance: number): Point => {
  const length = Math.hypot(to.x - from.x, to.y - from.y) || 1;
  return { x: from.x + ((to.x - from.x) / length) * distance, y: from.y + ((to.y - from.y) / length) * distance };
};

/** A line with rounded corners. */
function lineThrough(corners: readonly Point[]): string {
  const [start, ...rest] = corners;
  if (start === undefined) return '';
  const pieces = rest.map((corner, index) => {
    const before = corners[index] ?? start;
    const after = rest[index + 1];
    if (after === undefined) return `L${at(corner)}`;
    const room = Math.min(
      CORNER,
      Math.hypot(corner.x - before.x, corner.y - before.y) / 2,
      Math.hypot(after.x - corner.x, after.y - corner.y) / 2,
    );
    return `L${at(towards(corner, before, room))}Q${at(corner)} ${at(towards(corner, after, room))}`;
  });
  return `M${at(start)}${pieces.join('')}`;
}

function headAt(tip: Point, before: Point): string {
  const base = towards(tip, before, HEAD.length);
  const [dx, dy] = [((tip.x - base.x) / HEAD.length) * HEAD.half, ((tip.y - base.y) / HEAD.length) * HEAD.half];
  const corners = [tip, { x: base.x - dy, y: base.y + dx }, { x: base.x + dy, y: base.y - dx }];
  return `<polygon points="${corners.map(({ x, y }) => `${short(x)},${short(y)}`).join(' ')}"/>`;
}

function lineAndHead(corners: readonly Point[]): string {
  const [before, tip] = corners.slice(-2);
  if (before === undefined || tip === undefined) return '';
  return `<path d="${lineThrough([...corners.slice(0, -1), towards(tip, before, HEAD.length - 1)])}"/>${headAt(tip, before)}`;
}

function edgeElement({ exit: { arrow, way, baselines }, box, corners }: Route): string {
  const x = { left: box.x + PADDING, right: box.x + box.width - PADDING }[way === 'left' ? 'left' : 'right'];
  const place =
    way === 'straight' || way === 'inside'
      ? ({ x: box.x + box.width / 2, anchor: 'middle' } as const)
      : ({ x, anchor: way === 'left' ? 'start' : 'end' } as const);
  const texts = arrow.labels.map((label, index) => {
    const text = way === 'inside' ? `${label} ↻` : label;
    return textElement(text, { at: { x: place.x, y: box.y + (baselines[index] ?? 0) }, anchor: place.anchor });
  });
  return `<g id="${arrow.id}" class="edge ${arrow.kind}">${lineAndHead(corners)}${texts.join('')}</g>`;
}

function startElement({ boxes }: Layout): string {
  const [first] = boxes;
  if (first === undefined) return '';
  const x = first.x + first.width / 2;
  const line = lineAndHead([
    { x, y: START_HEIGHT - 24 },
    { x, y: first.y },
  ]);
  return `<g class="edge"><circle cx="${short(x)}" cy="${START_HEIGHT - 26}" r="7"/>${line}</g>`;
}

/**
 * A chart as SVG: the main path as one straight column, retries on its left, endings on its right. Each state and each
 * arrow has its own line and identifier, so that a page can mark it.
 */
export function toSvg(graph: ChartGraph): string {
  const layout = layOut(graph);
  const { width, height, boxes, routes } = layout;
  const isMain = ({ state }: Box): boolean => state.column === COLUMN.main;
  const straight = ({ exit }: Route): boolean => exit.way === 'straight';
  const group = (name: string, parts: readonly string[]): string[] => [`<g class="${name}">`, ...parts, '</g>'];
  return [
    '<!-- Generated by npm run diagrams from machines/. Do not edit. -->',
    `<svg xmlns="http://www.w3.org/2000/svg" width="${short(width)}" height="${short(height)}" viewBox="0 0 ${short(width)} ${short(height)}" font-family="Arial,Helvetica,Liberation Sans,sans-serif" font-size="${TEXT_SIZE}">`,
    `<style>${STYLE}\n.title{font-size:${TITLE_SIZE}px;font-weight:bold}</style>`,
    `<rect class="paper" width="100%" height="100%"/>`,
    ...group('main', boxes.filter(isMain).map(stateElement)),
    ...group('beside', boxes.filter((box) => !isMain(box)).map(stateElement)),
    ...group('beside', routes.filter((route) => !straight(route)).map(edgeElement)),
    ...group('main', [startElement(layout), ...routes.filter(straight).map(edgeElement)]),
    '</svg>',
    '',
  ].join('\n');
}
