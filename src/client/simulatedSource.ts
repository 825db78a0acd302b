import type { MeasurementSpot } from '../config/thermal/clientConfig.ts';
import type { Clock } from '../time/clock.ts';
import type { TemperatureSource } from './temperatureSource.ts';

interface SimulatedSourceOptions {
  readonly clock: Clock;
  /** The same seed gives the same temperatures at the same times. */
  readonly seed: number;
  /** Period of the slow wave, ms. A second wave is faster by the golden ratio, so that the sum repeats late. */
  readonly periodMs?: number;
}

const GOLDEN_RATIO = (1 + Math.sqrt(5)) / 2;
const DEFAULT_PERIOD_MS = 10 * 60 * 1000;
/** Each step has one random value. The noise is linear between two steps. */
const NOISE_STEPS_PER_PERIOD = 60;

/** A well-mixed number from 0 to 1 for two integers (the finisher of MurmurHash3). */
function mixed(seed: number, index: number): number {
  let hash = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(index + 1, 0xc2b2ae35);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}

/** -1 to 1, continuous in time: random values at whole steps, linear between them. */
function smoothNoise(seed: number, steps: number): number {
  const step = Math.floor(steps);
  const before = mixed(seed, step);
  const after = mixed(seed, step + 1);
  return 2 * (before + (after - before) * (steps - step)) - 1;
}

function temperatureAt(spot: MeasurementSpot, seed: number, periods: number): number {
  const spotSeed = seed + spot.id * 7919;
  const phase = mixed(spotSeed, 0);
  const slow = Math.sin(2 * Math.PI * (periods + phase));
  const fast = Math.sin(2 * Math.PI * (periods * GOLDEN_RATIO + mixed(spotSeed, 1)));
  const noise = smoothNoise(spotSeed, periods * NOISE_STEPS_PER_PERIOD);
  const middle = (spot.minTemp + spot.maxTemp) / 2;
  const half = (spot.maxTemp - spot.minTemp) / 2;
  const value = middle + half * (0.5 * slow + 0.2 * fast + spot.noiseFactor * noise);
  const rounded = Math.round(value * 100) / 100;
  return Math.min(spot.maxTemp, Math.max(spot.minTemp, rounded));
}

/** Plausible temperatures without a camera: slow waves within the spot's limits, with the spot's noise. */
export function createSimulatedSource(options: SimulatedSourceOptions): TemperatureSource {
  const { clock, seed, periodMs = DEFAULT_PERIOD_MS } = options;
  return {
    async read(spots, signal) {
      signal.throwIfAborted();
      const readAt = clock.monotonic();
      return spots.map((spot) => ({
        spot: spot.id,
        temperature: temperatureAt(spot, seed, readAt / periodMs),
        readAt,
      }));
    },
    close: async () => {},
  };
}
