import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSimulatedSource } from '../../src/client/simulatedSource.ts';
import { spot } from './testBroker.ts';

const forever = new AbortController().signal;

function sourceAt(seed: number) {
  let time = 0;
  const source = createSimulatedSource({ clock: { now: () => time, monotonic: () => time }, seed });
  return async (at: number, changes: Partial<ReturnType<typeof spot>> = {}): Promise<number> => {
    time = at;
    const [reading] = await source.read([{ ...spot(1), ...changes }], forever);
    return reading?.temperature ?? Number.NaN;
  };
}

describe('the simulated source', () => {
  it('always returns a value within the limits of each spot', async () => {
    const limits = fc.tuple(fc.integer({ min: -100, max: 499 }), fc.integer({ min: 1, max: 500 }));
    await fc.assert(
      fc.asyncProperty(
        fc.integer(),
        limits,
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.nat(),
        async (seed, [minTemp, range], noiseFactor, at) => {
          const maxTemp = minTemp + range;
          const temperature = await sourceAt(seed)(at, { minTemp, maxTemp, noiseFactor });
          expect(temperature).toBeGreaterThanOrEqual(minTemp);
          expect(temperature).toBeLessThanOrEqual(maxTemp);
        },
      ),
    );
  });

  it('moves smoothly, and over time through a large part of the range', async () => {
    const read = sourceAt(7);
    const values: number[] = [];
    for (let second = 0; second < 3_600; second += 1) values.push(await read(second * 1000));
    const steps = values.slice(1).map((value, index) => Math.abs(value - (values[index] ?? Number.NaN)));
    expect(Math.max(...steps)).toBeLessThan(1.5);
    expect(Math.max(...values) - Math.min(...values)).toBeGreaterThan(20);
  });

  it('has more noise with a larger noise factor', async () => {
    const roughness = async (noiseFactor: number): Promise<number> => {
      const read = sourceAt(7);
      let sum = 0;
      let previous = await read(0, { noiseFactor });
      for (let at = 10_000; at < 3_600_000; at += 10_000) {
        const next = await read(at, { noiseFactor });
        sum += Math.abs(next - previous);
        previous = next;
      }
      return sum;
    };
    expect(await roughness(1)).toBeGreaterThan(2 * (await roughness(0)));
  });

  it('repeats with the same seed, and differs with another seed or spot', async () => {
    const series = async (seed: number, id: number): Promise<number[]> =>
      Promise.all([0, 60_000, 120_000].map((at) => sourceAt(seed)(at, { id })));
    expect(await series(1, 1)).toEqual(await series(1, 1));
    expect(await series(1, 1)).not.toEqual(await series(2, 1));
    expect(await series(1, 1)).not.toEqual(await series(1, 2));
  });
});
