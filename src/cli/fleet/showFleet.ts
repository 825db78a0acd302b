import { countFleet, fleetExit } from '../../fleet/fleet.ts';
import { FLEET_BEGINNING, fleetJson } from '../../fleet/fleetJson.ts';
import { fleetPage } from '../../fleet/fleetPage.ts';
import { fleetText } from '../../fleet/fleetText.ts';
import { readInputs } from '../../fleet/readInputs.ts';
import { PAGE_BEGINNING } from '../../report/page.ts';
import { VERSION } from '../../version.ts';
import { writeOutput } from '../report/writeOutput.ts';
import { paintFor } from '../terminal/paint.ts';

/** The options of `fleet`, as commander gives them. */
export interface FleetArguments {
  readonly format: 'text' | 'json' | 'html';
  readonly all?: boolean;
  readonly out?: string;
}

const NARROWEST = 60;
const WIDEST = 100;

/**
 * Prints or writes the state of a fleet.
 * @returns the exit status
 * @throws Failure those of writeOutput
 */
export async function showFleet(inputs: readonly string[], given: FleetArguments): Promise<number> {
  const count = countFleet();
  await readInputs(inputs, count, process.stdin);
  const fleet = count.result();
  const all = given.all === true;
  const now = Date.now();
  const out = given.out ?? '-';
  if (given.format === 'json') await writeOutput(fleetJson(fleet, now), out, FLEET_BEGINNING);
  else if (given.format === 'html')
    await writeOutput(fleetPage(fleet, { all, now, version: VERSION }), out, PAGE_BEGINNING);
  else {
    const isFile = out !== '-';
    const paint = paintFor(isFile ? {} : process.stdout);
    const columns = isFile ? NARROWEST : (process.stdout.columns ?? NARROWEST);
    const width = Math.min(Math.max(columns, NARROWEST), WIDEST);
    const text = fleetText(fleet, { all, now, paint, width });
    await writeOutput(text, out, 'fleet: ');
  }
  return fleetExit(fleet);
}
