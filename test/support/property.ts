import fc from 'fast-check';

/** Something that holds for every value that can be drawn; checked by the tests, and far more often by the certificate. */
export interface Property {
  readonly name: string;
  /** Cases in a run of the tests. */
  readonly usualRuns: number;
  /** @throws with the seed and the smallest case that it found for which it does not hold */
  holds(options: { readonly seed: number; readonly runs: number }): Promise<void>;
}

/** The check of many cases, where they have something in common. */
export interface PropertyCheck<Value> {
  /** @throws when it does not hold */
  check(value: Value): void | Promise<void>;
  /** That the cases were worth the name; only after all of them have held. */
  finish?(runs: number): void;
  close?(): Promise<void>;
}

/** Longer than any case takes: who needs more has hung. Code that never gives up the processor is not met by it. */
const CASE_LIMIT_MS = 30_000;

export function propertyOf<Value>(
  name: string,
  usualRuns: number,
  values: fc.Arbitrary<Value>,
  begin: () => PropertyCheck<Value> | Promise<PropertyCheck<Value>>,
): Property {
  return {
    name,
    usualRuns,
    async holds({ seed, runs }) {
      const { check, finish, close } = await begin();
      try {
        const property = fc.asyncProperty(values, async (value) => {
          await check(value);
        });
        await fc.assert(property, { seed, numRuns: runs, timeout: CASE_LIMIT_MS });
        finish?.(runs);
      } finally {
        await close?.();
      }
    },
  };
}

/** A property whose cases have nothing in common. */
export const property = <Value>(
  name: string,
  usualRuns: number,
  values: fc.Arbitrary<Value>,
  check: (value: Value) => void | Promise<void>,
): Property => propertyOf(name, usualRuns, values, () => ({ check }));
