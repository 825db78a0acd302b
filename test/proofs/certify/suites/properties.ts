import { buildChildProgram } from '../childProgram.ts';
import { inParallel } from '../inParallel.ts';
import { isInPart } from '../part.ts';
import { allProperties } from '../properties/allProperties.ts';
import type { Suite, SuiteOptions, SuiteResult } from '../suite.ts';

/** Much longer than any lot takes. This is the only limit for an endless synchronous loop. */
const LOT_LIMIT_MS = 180_000;
/** --full multiplies the number of cases by this factor. */
const FULL_FACTOR = 10;
const MAX_MESSAGE = 600;

interface Lot {
  readonly name: string;
  readonly seed: number;
  readonly cases: number;
}

const lotText = ({ name, seed }: Lot): string => `${name} (seed ${seed})`;

const lotsOf = ({ seed, full, part }: SuiteOptions): readonly Lot[] =>
  allProperties
    .filter(({ property }) => part?.scenario.test(property.name) ?? true)
    .flatMap(({ property, cases, lots }) =>
      Array.from({ length: lots * (full ? FULL_FACTOR : 1) }, (_lot, index) => ({
        name: property.name,
        seed: seed + index,
        cases,
      })),
    )
    .filter((lot) => isInPart(lotText(lot), part));

const onOneLine = (text: string): string => text.replaceAll(/\s+/g, ' ').slice(0, MAX_MESSAGE);

async function run(options: SuiteOptions): Promise<SuiteResult> {
  const lots = lotsOf(options);
  const violations: string[] = [];
  console.log(`  properties: seeds from ${options.seed} on`);
  const program = await buildChildProgram('check-property', 'test/proofs/certify/properties/checkProperty.ts');
  try {
    await inParallel(
      lots,
      options.workers,
      async (lot) => {
        const { name, seed, cases } = lot;
        const { status, output } = await program.run([name, String(seed), String(cases)], LOT_LIMIT_MS);
        if (status === 0) return;
        const how = status === null ? `not finished after ${LOT_LIMIT_MS / 1000} s` : onOneLine(output);
        violations.push(`${lotText(lot)}: ${how}`);
      },
      options.progress,
    );
  } finally {
    await program.remove();
  }
  const runs = lots.reduce((sum, { cases }) => sum + cases, 0);
  return { points: allProperties.length, runs, faults: 0, violations };
}

export const properties: Suite = {
  name: 'properties',
  shows:
    'with any content of provision.json, thermal_config.json, snapshot.json and credentials.json, any bytes from the server and any course of the chart: no crash, no hang, no secret in a message, no changed configuration',
  run,
};
