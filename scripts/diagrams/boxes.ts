import { ANY_STATE, type ChartGraph } from './chartGraph.ts';
import { type Arrow, arrowsOf, COLUMN, type Column, type PlacedState, placeStates } from './columns.ts';

export type Side = 'left' | 'right';

/** Course of an arrow: straight to the next state of the main path, within its state's box, or through the channels. */
export type Way = 'straight' | 'inside' | Side;

/** An arrow, with the places of its start and labels in the box that it leaves. */
export interface Exit {
  readonly arrow: Arrow;
  readonly way: Way;
  /** Height at which the arrow leaves the box, and the baselines of its labels. */
  readonly y: number;
  readonly baselines: readonly number[];
}

/** A state's rectangle. Above: name, description and incoming arrows; below: a row for each outgoing label. */
export interface Box {
  readonly state: PlacedState;
  readonly title: string;
  readonly lines: readonly string[];
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly headHeight: number;
  readonly exits: readonly Exit[];
}

export const TITLE_SIZE = 14;
export const TEXT_SIZE = 12;
/** All sizes are in pixels; the whole picture is about 800 wide. */
export const PADDING = 9;
const LINE = 15;
const ROW = 17;
const TITLE_LINE = 19;
const GAP = 32;
const GAP_BESIDE = 24;
/** Distance between two arrows into the same side of a box. */
export const ENTRY_SPACING = 13;

const WIDTHS: Readonly<Record<Column, number>> = {
  [COLUMN.retries]: 176,
  [COLUMN.main]: 228,
  [COLUMN.endings]: 150,
};

/** Mean widths of Arial's letters in ems, with some room for substitute fonts. */
export function textWidth(text: string, size: number): number {
  const ems = [...text].map((letter) => {
    if (/[iljtfrI.,:;'’!|()[\] ]/.test(letter)) return 0.3;
    if (/[mwMW…]/.test(letter)) return 0.87;
    return /[A-Z]/.test(letter) ? 0.7 : 0.57;
  });
  return ems.reduce((sum, em) => sum + em, 0) * size;
}

/** Breaks a text into lines that fit a width. */
function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ').filter((part) => part !== '')) {
    const longer = `${lines.at(-1) ?? ''} ${word}`;
    if (lines.length > 0 && textWidth(longer, TEXT_SIZE) <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

/** Backward arrows use the side of the retries, forward arrows the other side; between columns the shortest way. */
function wayOf(from: PlacedState, to: PlacedState): Way {
  if (from === to) return 'inside';
  if (from.column !== to.column) return from.column < to.column ? 'right' : 'left';
  if (from.column === COLUMN.main) return to.row < from.row ? 'left' : 'right';
  return from.column === COLUMN.retries ? 'left' : 'right';
}

/** The side of a box at which an arrow enters. */
export function entrySide({ way, from, to }: { way: Way; from: PlacedState; to: PlacedState }): Side {
  if (from.column === to.column) return way === 'left' ? 'left' : 'right';
  return from.column < to.column ? 'left' : 'right';
}

type Sized = Omit<Box, 'x' | 'y'>;

function sizeOf(state: PlacedState, leaving: readonly { arrow: Arrow; way: Way }[], entries: number): Sized {
  const width = WIDTHS[state.column];
  const inner = width - 2 * PADDING;
  const lines = wrapped(state.description, inner);
  const headHeight = Math.max(TITLE_LINE + lines.length * LINE + 9, entries * ENTRY_SPACING + 8);
  const ofWay = (way: Way) => leaving.filter((exit) => exit.way === way);
  const rowsOf = (exits: readonly { arrow: Arrow }[]) => exits.flatMap(({ arrow }) => arrow.labels);
  const [left, right] = [rowsOf(ofWay('left')), rowsOf(ofWay('right'))];
  const fitBeside = left.every(
    (text, row) => textWidth(text, TEXT_SIZE) + textWidth(right[row] ?? '', TEXT_SIZE) + 12 <= inner,
  );
  let row = 0;
  const place = (exits: readonly { arrow: Arrow; way: Way }[]): Exit[] =>
    exits.map(({ arrow, way }) => {
      const first = headHeight + row * ROW;
      row += arrow.labels.length;
      const baselines = arrow.labels.map((_label, index) => first + index * ROW + 12);
      return { arrow, way, baselines, y: first + (arrow.labels.length * ROW) / 2 };
    });
  const onLeft = place(ofWay('left'));
  const afterLeft = row;
  row = fitBeside ? 0 : row;
  const onRight = place(ofWay('right'));
  row = Math.max(row, afterLeft);
  const rest = place([...ofWay('inside'), ...ofWay('straight')]);
  const height = headHeight + row * ROW + (row > 0 ? 5 : 0);
  return {
    state,
    title: state.name === ANY_STATE ? 'any state' : state.name,
    lines,
    width,
    height,
    headHeight,
    exits: [...onLeft, ...onRight, ...rest.map((exit) => (exit.way === 'straight' ? { ...exit, y: height } : exit))],
  };
}

/** Stacks the boxes of a column, each as near to its preferred height as the boxes above allow. */
function stack(boxes: readonly Sized[], gap: number, wish: (box: Sized) => number): (Sized & { y: number })[] {
  let free = 0;
  return boxes.map((box) => {
    const y = Math.max(free, wish(box));
    free = y + box.height + gap;
    return { ...box, y };
  });
}

/**
 * Boxes with sizes and vertical places. `x` depends on the channels between the columns and is set later.
 * @param shift how much lower than its row of the main path a state in another column may start
 */
export function placeBoxes(graph: ChartGraph, shift: number): readonly Box[] {
  const states = placeStates(graph);
  const named = (name: string): PlacedState => {
    const state = states.find((candidate) => candidate.name === name);
    if (state === undefined) throw new Error(`no state ${name} in ${graph.id}`);
    return state;
  };
  const joined = new Set<string>();
  const ways = arrowsOf(graph).map((arrow) => {
    const [from, to] = [named(arrow.from), named(arrow.to)];
    const adjacent = from.column === COLUMN.main && to.column === COLUMN.main && to.row === from.row + 1;
    const straight = adjacent && !joined.has(from.name);
    if (straight) joined.add(from.name);
    const way = straight ? 'straight' : wayOf(from, to);
    // On the main path a plain end of the effect needs no label.
    const said = straight && arrow.labels.join() === 'done' ? { ...arrow, labels: [] } : arrow;
    return { arrow: said, way, from, to };
  });
  const rowOf = (name: string): number => named(name).row + named(name).column / 10;
  const sized = states.map((state) => {
    const leaving = ways.filter(({ from }) => from === state).toSorted((a, b) => rowOf(a.arrow.to) - rowOf(b.arrow.to));
    const entries = (['left', 'right'] as const).map((side) => {
      const coming = ways.filter((exit) => exit.to === state && exit.way !== 'inside' && exit.way !== 'straight');
      return new Set(coming.filter((exit) => entrySide(exit) === side).map(({ arrow }) => arrow.kind)).size;
    });
    return sizeOf(state, leaving, Math.max(...entries));
  });
  const column = (wanted: Column) =>
    sized.filter(({ state }) => state.column === wanted).toSorted((a, b) => a.state.row - b.state.row);
  const main = stack(column(COLUMN.main), GAP, () => 0);
  const beside = ({ state }: Sized): number => (main[state.row]?.y ?? 0) + shift;
  return [
    ...main,
    ...stack(column(COLUMN.retries), GAP_BESIDE, beside),
    ...stack(column(COLUMN.endings), GAP_BESIDE, beside),
  ].map((box) => ({ ...box, x: 0 }));
}
