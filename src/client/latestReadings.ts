import type { MeasurementSpot } from '../config/thermal/clientConfig.ts';
import type { Log } from '../log/log.ts';
import type { Clock } from '../time/clock.ts';
import { createJsonLines, type JsonLines, MAX_LINE_BYTES } from './jsonLines.ts';
import { createRateLimitedWarning } from './rateLimitedWarning.ts';
import { type LineReadings, parseReadingLine } from './readingLine.ts';
import type { SpotReading } from './temperatureSource.ts';

/** Far more spots than a camera has. The limit keeps a faulty writer from filling the memory with ids. */
const MAX_SPOTS = 64;

/** The last value of each spot in a stream of JSON lines. */
export interface LatestReadings {
  readonly lines: JsonLines;
  /** @param ageMs age in milliseconds of the values in the following lines */
  setAge(ageMs: number): void;
  /** Accepts a last line without a line end if it is a complete reading, because some writers omit the line end. */
  takeUnfinishedLine(): void;
  of(spots: readonly MeasurementSpot[]): SpotReading[];
}

/** @param origin the stream's name in warnings */
export function createLatestReadings(log: Log, clock: Clock, origin: string): LatestReadings {
  const latest = new Map<number, SpotReading>();
  const warn = createRateLimitedWarning(log, clock, 'source.bad-line');
  let age = 0;

  const refuse = (why: string): void => {
    warn(`${origin}: ${why}; expected {"spot":1,"temperature":36.6} or {"1":36.6}`);
  };

  function take(readings: LineReadings): void {
    const readAt = clock.monotonic() - age;
    for (const [spot, temperature] of readings) {
      if (latest.size < MAX_SPOTS || latest.has(spot)) latest.set(spot, { spot, temperature, readAt });
      else refuse(`more than ${MAX_SPOTS} spots`);
    }
  }

  function takeLine(line: string): void {
    const readings = parseReadingLine(line);
    if (readings === undefined) refuse('a line is not a reading');
    else take(readings);
  }

  const lines = createJsonLines(takeLine, () => refuse(`a line is longer than ${MAX_LINE_BYTES} bytes`));
  return {
    lines,
    takeUnfinishedLine() {
      const readings = parseReadingLine(lines.unfinished());
      if (readings !== undefined) take(readings);
    },
    setAge(ageMs) {
      age = ageMs;
    },
    of: (spots) =>
      spots.flatMap(({ id }) => {
        const reading = latest.get(id);
        return reading === undefined ? [] : [reading];
      }),
  };
}
