/** Checks a property in its own process: checkProperty.mjs NAME SEED CASES. Exit status 1: it does not hold. */

import { allProperties } from './allProperties.ts';

const [name, seed, cases] = process.argv.slice(2);
const found = allProperties.find(({ property }) => property.name === name);
if (found === undefined) throw new Error(`no property is named ${name}`);
try {
  await found.property.holds({ seed: Number(seed), runs: Number(cases) });
} catch (error) {
  const cause = error instanceof Error && error.cause instanceof Error ? ` (${error.cause.message})` : '';
  console.log(`${error instanceof Error ? error.message : error}${cause}`);
  process.exitCode = 1;
}
