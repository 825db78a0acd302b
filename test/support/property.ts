import fc from 'fast-check';

/** A statement about every generated value. The tests check a moderate number of cases, the certificate far more. */
export interface Property {
  readonly name: string;
  /** Number of cases in the tests. */
  readonly usualRuns: number;
  /** @throws with the seed and the smallest counterexample found */
  holds(options: { readonly seed: number; readonly runs: number }): Promise<void>;
}

/** The check of many cases that share a state. */
export interface PropertyCheck<Value> {
  /** @throws when the property does not hold for this value */
  check(value: Value): void | Promise<void>;
  /** Checks that the cases covered enough. Called after all cases have held. */
  finish?(runs: number): void;
  close?(): Promise<void>;
}

/** Longer than any case takes: a case that needs more hangs. This limit can't stop an endless synchronous loop. */
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

/** A property whose cases share no state. */
export const property = <Value>(
  name: string,
  usualRuns: number,
  values: fc.Arbitrary<Value>,
  check: (value: Value) => void | Promise<void>,
): Property => propertyOf(name, usualRuns, values, () => ({ check }));
