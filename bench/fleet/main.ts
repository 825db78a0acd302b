/** `npm run bench:fleet`: provisions many devices at the same time, and checks that each becomes exactly one device. */

import { spawnSync } from 'node:child_process';
import { cpus, totalmem } from 'node:os';
import * as z from 'zod';
import { type FleetResult, fleetResultSchema, isWell } from './fleetResult.ts';
import { type FleetOptions, fleetOptions, HELP, UsageError } from './options.ts';
import { resultTable, settingText } from './resultTable.ts';
import { runFleet } from './runFleet.ts';
import { SIMULATOR_ROLE } from './simulatorProcess.ts';
import { simulatorProgram } from './simulatorProgram.ts';

const EXIT_USAGE = 64;
const MAX_JSON_BYTES = 64 * 1024 * 1024;

const outputSchema = z.object({ fleets: z.array(fleetResultSchema) });

const machine = (): string => {
  const [first] = cpus();
  const gigabytes = (totalmem() / 1024 ** 3).toFixed(0);
  const threads = process.env.UV_THREADPOOL_SIZE ?? '4';
  return `Node ${process.versions.node}, ${cpus().length} × ${first?.model ?? 'CPU'}, ${gigabytes} GB; ${threads} threads for files`;
};

/** Runs a fleet in its own process, so that no fleet uses the freed memory of an earlier one. */
function runAlone(args: readonly string[], devices: number): FleetResult {
  const [, program = ''] = process.argv;
  const own = [...process.execArgv, program, ...args, '--devices', String(devices), '--json'];
  const { stdout } = spawnSync(process.execPath, own, {
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
    maxBuffer: MAX_JSON_BYTES,
  });
  const [result] = outputSchema.parse(JSON.parse(stdout)).fleets;
  if (result === undefined) throw new Error(`The fleet of ${devices} devices gave no result`);
  return result;
}

async function bench(args: readonly string[], options: FleetOptions): Promise<void> {
  const { devices, json } = options;
  const [only = 0] = devices;
  const fleets = devices.length === 1 ? [await runFleet(options, only)] : devices.map((count) => runAlone(args, count));
  if (json) console.log(JSON.stringify({ machine: machine(), fleets }, null, 2));
  else console.log([machine(), ...fleets.slice(0, 1).map(settingText), resultTable(fleets)].join('\n'));
  process.exitCode = fleets.every(isWell) ? 0 : 1;
}

const [role, ...rest] = process.argv.slice(2);
if (role === SIMULATOR_ROLE) {
  const [devices, latencyMs, faults] = rest;
  await simulatorProgram(Number(devices), Number(latencyMs), faults);
} else if (role === '--help') {
  console.log(HELP);
} else {
  const args = process.argv.slice(2);
  try {
    await bench(args, fleetOptions(args));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`${error.message}\n\n${HELP}`);
    process.exitCode = EXIT_USAGE;
  }
}
