/** A horizontal piece of an arrow that meets a lane, from the left or right edge of the channel. */
export interface Tap {
  readonly y: number;
  readonly from: 'left' | 'right';
}

/** A vertical line in a channel between two columns. Arrows of one kind to the same state share a lane. */
export interface Lane {
  readonly key: string;
  readonly taps: readonly Tap[];
}

/** Lines with a smaller distance look like one line. */
const CLEARANCE = 7;

const top = ({ taps }: Lane): number => Math.min(...taps.map(({ y }) => y));
const bottom = ({ taps }: Lane): number => Math.max(...taps.map(({ y }) => y));
const overlap = (a: Lane, b: Lane): boolean => top(a) < bottom(b) + CLEARANCE && top(b) < bottom(a) + CLEARANCE;

const CROSSING = 1;
/** Lines on top of each other, or ending close to each other, are misread. */
const TOUCHING = 8;

/** Cost of drawing `left` to the left of `right`. */
function costOf(left: Lane, right: Lane): number {
  const crossings = (taps: readonly Tap[], other: Lane): number =>
    taps.reduce((sum, { y }) => {
      if (Math.abs(y - top(other)) < CLEARANCE || Math.abs(y - bottom(other)) < CLEARANCE) return sum + TOUCHING;
      return y > top(other) && y < bottom(other) ? sum + CROSSING : sum;
    }, 0);
  const toRight = left.taps.filter(({ from }) => from === 'right');
  const toLeft = right.taps.filter(({ from }) => from === 'left');
  const collinear = toRight.filter((a) => toLeft.some((b) => Math.abs(a.y - b.y) < CLEARANCE)).length;
  return crossings(toRight, right) + crossings(toLeft, left) + collinear * TOUCHING;
}

const totalCost = (order: readonly Lane[]): number =>
  order.reduce(
    (sum, left, index) => sum + order.slice(index + 1).reduce((part, right) => part + costOf(left, right), 0),
    0,
  );

/** The best order that moving one lane at a time can reach. */
function untangled(lanes: readonly Lane[]): readonly Lane[] {
  let best = [...lanes];
  let cost = totalCost(best);
  for (let improved = true; improved; ) {
    improved = false;
    for (const lane of lanes) {
      const others = best.filter((other) => other !== lane);
      for (let index = 0; index <= others.length; index += 1) {
        const order = [...others.slice(0, index), lane, ...others.slice(index)];
        const moved = totalCost(order);
        if (moved < cost) [best, cost, improved] = [order, moved, true];
      }
    }
  }
  return best;
}

export interface Tracks {
  /** The track of every lane by its key, counted from the left. Lanes that do not overlap may share a track. */
  readonly of: ReadonlyMap<string, number>;
  /** Cost of the channel's crossings; 0: none. */
  readonly cost: number;
}

export function assignTracks(lanes: readonly Lane[]): Tracks {
  const order = untangled(lanes);
  const tracks = new Map<Lane, number>();
  for (const lane of order) {
    const before = [...tracks].filter(([other]) => overlap(lane, other)).map(([, track]) => track);
    tracks.set(lane, Math.max(-1, ...before) + 1);
  }
  return { of: new Map([...tracks].map(([{ key }, track]) => [key, track])), cost: totalCost(order) };
}
