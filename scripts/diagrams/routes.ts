import { type Box, ENTRY_SPACING, type Exit, entrySide, placeBoxes } from './boxes.ts';
import type { ChartGraph } from './chartGraph.ts';
import { COLUMN, type Column } from './columns.ts';
import { assignTracks, type Lane, type Tap } from './lanes.ts';

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** A drawn arrow: the corners of its line, the last one at its head. An arrow within its box has no corners. */
export interface Route {
  readonly exit: Exit;
  readonly box: Box;
  readonly corners: readonly Point[];
}

export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly boxes: readonly Box[];
  readonly routes: readonly Route[];
}

const MARGIN = 8;
/** Space above the first state, for the start dot. */
export const START_HEIGHT = 40;
const TRACK = 10;
/** Space between a channel's edge and its first line, for an arrow's head. */
const APRON = 15;
/** Distance of lines that cross the main path, in the gap below a state. */
const CROSSING_SPACING = 9;

/** The way of an arrow through the channels: channel 0 is left of the first column, 3 right of the last. */
interface Journey {
  readonly exit: Exit;
  readonly from: Box;
  readonly to: Box;
  readonly legs: readonly { readonly channel: number; readonly lane: string; readonly taps: readonly [Tap, Tap] }[];
}

const CHANNELS = [0, 1, 2, 3] as const;

/** Heights at which the arrows of each kind enter a side of a state, ordered by their sources. */
function entryHeights(boxes: readonly Box[], boxOf: (name: string) => Box): ReadonlyMap<string, number> {
  const sources = new Map<string, { box: Box; ys: number[] }>();
  for (const from of boxes) {
    for (const { arrow, way, y } of from.exits) {
      if (way !== 'left' && way !== 'right') continue;
      const box = boxOf(arrow.to);
      const key = entryKey(box, entrySide({ way, from: from.state, to: box.state }), arrow.kind);
      const entry = sources.get(key) ?? { box, ys: [] };
      entry.ys.push(from.y + y);
      sources.set(key, entry);
    }
  }
  const mean = (ys: readonly number[]): number => ys.reduce((sum, y) => sum + y, 0) / ys.length;
  const heights = new Map<string, number>();
  for (const box of boxes) {
    for (const side of ['left', 'right'] as const) {
      const own = [...sources].filter(([key]) => key.startsWith(`${box.state.name} ${side} `));
      const sorted = own.toSorted(([, a], [, b]) => mean(a.ys) - mean(b.ys));
      sorted.forEach(([key], index) => {
        heights.set(key, box.y + box.headHeight / 2 + (index - (sorted.length - 1) / 2) * ENTRY_SPACING);
      });
    }
  }
  return heights;
}

const entryKey = ({ state }: Box, side: string, kind: string): string => `${state.name} ${side} ${kind}`;

function journeysOf(boxes: readonly Box[]): readonly Journey[] {
  const boxOf = (name: string): Box => {
    const box = boxes.find(({ state }) => state.name === name);
    if (box === undefined) throw new Error(`no box for ${name}`);
    return box;
  };
  const entries = entryHeights(boxes, boxOf);
  const gaps = gapsOf(boxes);
  return boxes.flatMap((from) =>
    from.exits.map((exit): Journey => {
      const to = boxOf(exit.arrow.to);
      const { way, arrow } = exit;
      if (way === 'straight' || way === 'inside') return { exit, from, to, legs: [] };
      const side = entrySide({ way, from: from.state, to: to.state });
      const lane = entryKey(to, side, arrow.kind);
      const entry = { y: entries.get(lane) ?? to.y, from: side === 'left' ? 'right' : 'left' } as const;
      const start = { y: from.y + exit.y, from: way === 'left' ? 'right' : 'left' } as const;
      const [first, last] = [channelAt(from, way), channelAt(to, side)];
      if (first === last) return { exit, from, to, legs: [{ channel: first, lane, taps: [start, entry] }] };
      const y = gaps.crossing(lane, start.y, entry.y);
      return {
        exit,
        from,
        to,
        legs: [
          { channel: first, lane: `across ${lane}`, taps: [start, { y, from: entry.from }] },
          { channel: last, lane, taps: [{ y, from: start.from }, entry] },
        ],
      };
    }),
  );
}

const channelAt = ({ state }: Box, side: string): number => (side === 'left' ? state.column : state.column + 1);

/** The gaps between the states of the main path, in which lines may cross it. */
function gapsOf(boxes: readonly Box[]) {
  const main = boxes.filter(({ state }) => state.column === COLUMN.main);
  const gaps = main.slice(0, -1).map(({ y, height }) => ({ y: y + height, lines: [] as string[] }));
  return {
    crossing(lane: string, from: number, to: number): number {
      const heightOf = (gap: (typeof gaps)[number]): number => {
        const line = gap.lines.includes(lane) ? gap.lines.indexOf(lane) : gap.lines.length;
        return gap.y + (line + 1) * CROSSING_SPACING;
      };
      const detour = (gap: (typeof gaps)[number]): number =>
        Math.abs(heightOf(gap) - from) + Math.abs(heightOf(gap) - to) + gap.lines.length;
      const [nearest] = gaps.toSorted((a, b) => detour(a) - detour(b));
      if (nearest === undefined) return from;
      const y = heightOf(nearest);
      if (!nearest.lines.includes(lane)) nearest.lines.push(lane);
      return y;
    },
  };
}

/** The lanes of a channel, each with its taps. */
function lanesOf(journeys: readonly Journey[], channel: number): readonly Lane[] {
  const lanes = new Map<string, Tap[]>();
  for (const { legs } of journeys) {
    for (const leg of legs) {
      if (leg.channel === channel) lanes.set(leg.lane, [...(lanes.get(leg.lane) ?? []), ...leg.taps]);
    }
  }
  return [...lanes].map(([key, taps]) => ({ key, taps }));
}

/** Lines at the same height from both sides of a channel hide each other: the other columns may shift down. */
const SHIFTS = [0, 4, 8, 12, 16] as const;

function plan(graph: ChartGraph, shift: number) {
  const placed = placeBoxes(graph, shift).map((box) => ({ ...box, y: box.y + START_HEIGHT }));
  const journeys = journeysOf(placed);
  const tracks = CHANNELS.map((channel) => assignTracks(lanesOf(journeys, channel)));
  return { placed, journeys, tracks, cost: tracks.reduce((sum, { cost }) => sum + cost, 0) };
}

/** Lays out a whole chart: places of the boxes and lines of the arrows. */
export function layOut(graph: ChartGraph): Layout {
  const plans = SHIFTS.map((shift) => plan(graph, shift));
  const { placed, journeys, tracks } = plans.reduce((best, other) => (other.cost < best.cost ? other : best));
  let x = MARGIN;
  const channelX: number[] = [];
  const columnX: number[] = [];
  for (const channel of CHANNELS) {
    channelX.push(x);
    const count = Math.max(0, ...[...(tracks[channel]?.of.values() ?? [])].map((track) => track + 1));
    if (count > 0) x += 2 * APRON + (count - 1) * TRACK;
    else if (channel === COLUMN.main || channel === COLUMN.endings) x += APRON;
    const widths = placed.filter(({ state }) => state.column === channel).map(({ width }) => width);
    columnX.push(x);
    x += Math.max(0, ...widths);
  }
  const columnAt = (column: Column): number => columnX[column] ?? 0;
  const boxes = placed.map((box) => ({ ...box, x: columnAt(box.state.column) }));
  const laneX = (channel: number, lane: string): number =>
    (channelX[channel] ?? 0) + APRON + (tracks[channel]?.of.get(lane) ?? 0) * TRACK;
  const drawn = (box: Box): Box => boxes.find(({ state }) => state === box.state) ?? box;
  const routes = journeys.map(({ exit, from, to, legs }): Route => {
    const [box, target] = [drawn(from), drawn(to)];
    return { exit, box, corners: cornersOf(exit, box, target, legs, laneX) };
  });
  return { width: x + MARGIN, height: Math.max(...boxes.map(({ y, height }) => y + height)) + MARGIN, boxes, routes };
}

function cornersOf(
  { way, y }: Exit,
  box: Box,
  target: Box,
  legs: Journey['legs'],
  laneX: (channel: number, lane: string) => number,
): readonly Point[] {
  const middle = box.x + box.width / 2;
  if (way === 'straight') {
    return [
      { x: middle, y: box.y + box.height },
      { x: middle, y: target.y },
    ];
  }
  const [last] = legs.slice(-1);
  if (last === undefined) return [];
  const entersLeft = last.taps[1].from === 'right';
  return [
    { x: way === 'left' ? box.x : box.x + box.width, y: box.y + y },
    ...legs.flatMap(({ channel, lane, taps: [enter, leave] }) => {
      const x = laneX(channel, lane);
      return [
        { x, y: enter.y },
        { x, y: leave.y },
      ];
    }),
    { x: entersLeft ? target.x : target.x + target.width, y: last.taps[1].y },
  ];
}
