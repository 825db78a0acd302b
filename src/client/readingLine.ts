import * as z from 'zod/mini';

/** Degrees Celsius, from absolute zero to far above any thermal camera. Other values are a sensor's error codes. */
const temperature = z.number().check(z.gte(-273.15), z.lte(5000));

const single = z.object({ spot: z.int().check(z.positive()), temperature });
const several = z.record(z.string().check(z.regex(/^[1-9]\d{0,8}$/)), temperature);
const line = z.union([single, several]);

/** Spot id → degrees Celsius. */
export type LineReadings = ReadonlyMap<number, number>;

/**
 * The values of one line: `{"spot":1,"temperature":36.6}` (other keys are ignored) or `{"1":36.6,"2":21.3}`.
 * @returns undefined for anything else
 */
export function parseReadingLine(text: string): LineReadings | undefined {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return undefined;
  }
  const result = line.safeParse(json);
  if (!result.success) return undefined;
  const parsed = single.safeParse(json);
  if (parsed.success) return new Map([[parsed.data.spot, parsed.data.temperature]]);
  return new Map(Object.entries(result.data).map(([spot, value]) => [Number(spot), value]));
}
