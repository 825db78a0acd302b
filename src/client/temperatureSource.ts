import type { MeasurementSpot } from '../config/thermal/clientConfig.ts';

export interface SpotReading {
  /** The measurement spot's id. */
  readonly spot: number;
  /** Degrees Celsius. */
  readonly temperature: number;
  /** When it was measured or received, on the monotonic clock, in milliseconds. */
  readonly readAt: number;
}

/** Where temperatures come from. */
export interface TemperatureSource {
  /**
   * The latest value of each spot that has one; a spot without a value is left out.
   * @param signal gives up waiting
   * @throws whatever hinders the reading; the next call may succeed
   */
  read(spots: readonly MeasurementSpot[], signal: AbortSignal): Promise<readonly SpotReading[]>;
  /** Ends what the source has started; nothing of it keeps the process alive afterwards. */
  close(): Promise<void>;
}
