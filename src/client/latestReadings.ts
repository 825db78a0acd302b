import type { MeasurementSpot } from '../config/thermal/clientConfig.ts';
import type { Log } from '../log/log.ts';
import type { Clock } from '../time/clock.ts';
import { createJsonLines, type JsonLines, MAX_LINE_BYTES } from './jsonLines.ts';
import { createRateLimitedWarning } from './rateLimitedWarning.ts';
import { type LineReadings, parseReadingLine } from './readingLine.ts';
import type { SpotReading } from './temperatureSource.ts';

/** Far more than a camera has; whatever writes the lines must not be able to fill the memory with ids. */
const MAX_SPOTS = 64;

/** The last value of each spot of a stream of JSON lines. */
export interface LatestReadings {
  readonly lines: JsonLines;
  /** @param ageMs how old, in milliseconds, the values of the lines that follow are already */
  setAge(ageMs: number): void;
  /** Takes the last line although its end is missing, if it is a whole reading: some writers leave the end out. */
  takeUnfinishedLine(): void;
  of(spots: readonly MeasurementSpot[]): SpotReading[];
}

/** @param origin names the stream in warnings */
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
    if (readings === undefined) refuse('a line that is no reading');
    else take(readings);
  }

  const lines = createJsonLines(takeLine, () => refuse(`a line of more than ${MAX_LINE_BYTES} bytes`));
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
