import type { MeasurementSpot } from '../config/thermal/clientConfig.ts';

export interface SpotReading {
  /** The measurement spot's id. */
  readonly spot: number;
  /** Degrees Celsius. */
  readonly temperature: number;
  /** Time of measurement or arrival on the monotonic clock, in milliseconds. */
  readonly readAt: number;
}

/** A source of temperatures. */
export interface TemperatureSource {
  /**
   * The latest value of each spot. A spot without a value is left out.
   * @param signal ends the waiting
   * @throws any error of the reading; the next call may succeed
   */
  read(spots: readonly MeasurementSpot[], signal: AbortSignal): Promise<readonly SpotReading[]>;
  /** Stops everything that the source started. Afterwards the source does not keep the process alive. */
  close(): Promise<void>;
}
