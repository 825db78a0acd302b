import type { MeasurementSpot } from '../config/thermal/clientConfig.ts';
import type { SpotReading } from './temperatureSource.ts';

/** A value older than this number of intervals is not sent, because it would make a dead camera look alive. */
const MAX_AGE_INTERVALS = 3;

export const maxAgeMs = (intervalMs: number): number => MAX_AGE_INTERVALS * intervalMs;

const keyOf = (spot: { readonly id: number }): string => `spot_${spot.id}`;

/**
 * The telemetry messages of one round: `{"spot_1_temperature":36.6,"spot_2_temperature":21.3}` in one message, or one
 * message for each spot. Messages have no time stamp, because the clock of a board without an RTC may be years off. The
 * server adds the time of arrival (docs/thingsboard.md, section 6).
 * @param readings values in degrees Celsius; values of other spots are left out
 * @param batch whether one message contains all spots
 */
export function telemetryMessages(
  spots: readonly MeasurementSpot[],
  readings: readonly SpotReading[],
  batch: boolean,
): string[] {
  const bySpot = new Map(readings.map((reading) => [reading.spot, reading.temperature]));
  const entries = spots.flatMap((spot) => {
    const temperature = bySpot.get(spot.id);
    return temperature === undefined ? [] : [[`${keyOf(spot)}_temperature`, temperature] as const];
  });
  if (entries.length === 0) return [];
  if (batch) return [JSON.stringify(Object.fromEntries(entries))];
  return entries.map((entry) => JSON.stringify(Object.fromEntries([entry])));
}

/**
 * The constant facts of the spots, published as client attributes once per connection:
 * `{"spot_1_name":"Center Spot","spot_1_x":160,"spot_1_y":120}`; undefined when no spot is enabled.
 */
export function attributesMessage(spots: readonly MeasurementSpot[]): string | undefined {
  if (spots.length === 0) return undefined;
  const entries = spots.flatMap((spot) => [
    [`${keyOf(spot)}_name`, spot.name] as const,
    [`${keyOf(spot)}_x`, spot.x] as const,
    [`${keyOf(spot)}_y`, spot.y] as const,
  ]);
  return JSON.stringify(Object.fromEntries(entries));
}
