import type { MeasurementSpot } from '../config/thermal/clientConfig.ts';
import type { SpotReading } from './temperatureSource.ts';

/** A value is sent while it is younger than this many intervals: an old one would look like a living camera. */
const MAX_AGE_INTERVALS = 3;

export const maxAgeMs = (intervalMs: number): number => MAX_AGE_INTERVALS * intervalMs;

const keyOf = (spot: { readonly id: number }): string => `spot_${spot.id}`;

/**
 * The telemetry messages of one round: `{"spot_1_temperature":36.6,"spot_2_temperature":21.3}` in one message, or a
 * message for each spot. Without time stamps: the server stamps what arrives, since a board without an RTC may be years
 * off (docs/thingsboard.md, section 6, allows both).
 * @param readings values in degrees Celsius; those of other spots are left out
 * @param batch whether all spots go into one message
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
 * What does not change with each round, published once a connection as client attributes:
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
