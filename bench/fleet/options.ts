import { tmpdir } from 'node:os';
import { parseArgs } from 'node:util';

/** A server that is not the simulator. Its key and secret come from the environment: arguments show in process lists. */
export interface GivenServer {
  readonly host: string;
  readonly port: number;
  readonly useSsl: boolean;
  /** PEM file of the authority to trust; undefined: the system's. */
  readonly caFile: string | undefined;
  readonly deviceKey: string;
  readonly deviceSecret: string;
}

export interface FleetOptions {
  /** How many devices; several: one fleet after the other, each in a process of its own. */
  readonly devices: readonly number[];
  /** How many of them at the same time. */
  readonly concurrency: number;
  /** One process for each device, instead of all in one. */
  readonly processes: boolean;
  /** main.js of the bundle that `processes` starts. */
  readonly agent: string;
  /** Undefined: the simulator, in a process of its own. */
  readonly server: GivenServer | undefined;
  /** Where the device folders are laid out. */
  readonly folder: string;
  readonly keep: boolean;
  readonly namePrefix: string;
  /** How often a device whose run failed is started again, the first time included. */
  readonly boots: number;
  /** Seed of the faults; undefined: none. */
  readonly faults: string | undefined;
  /** The simulator's delay of each answer, ms. */
  readonly latencyMs: number;
  readonly json: boolean;
  readonly quiet: boolean;
}

export class UsageError extends Error {}

export const HELP = `npm run bench:fleet -- [options]

  --devices N[,N…]    how many devices (100); several: a curve, each fleet in a process of its own
  --concurrency C     how many of them at the same time (200)
  --processes         one agent process for each device (dist/main.js), instead of all in one process
  --agent MAIN.JS     another bundle for --processes
  --folder DIR        where the device folders are laid out (the system's temporary folder); /dev/shm is no disk
  --keep              keep them
  --name-prefix TEXT  prefix of the devices' names (fleet-bench)
  --latency MS        how much later the simulator's answers leave (0)
  --faults SEED       faults in the simulator, and runs that are cut, drawn from this seed; three boots for each device
  --boots N           how often a device is started at most (1; 3 with --faults)
  --json              the result as JSON on standard output, instead of a table
  --quiet             no progress
A server instead of the simulator, with BENCH_DEVICE_KEY and BENCH_DEVICE_SECRET in the environment:
  --host NAME  --port N (1883, with --tls 8883)  --tls  --ca FILE.PEM
UV_THREADPOOL_SIZE (32): how many file operations one process has under way at the same time.
`;

const OPTIONS = {
  devices: { type: 'string', default: '100' },
  concurrency: { type: 'string', default: '200' },
  processes: { type: 'boolean', default: false },
  agent: { type: 'string', default: 'dist/main.js' },
  folder: { type: 'string', default: tmpdir() },
  keep: { type: 'boolean', default: false },
  'name-prefix': { type: 'string', default: 'fleet-bench' },
  latency: { type: 'string', default: '0' },
  faults: { type: 'string' },
  boots: { type: 'string' },
  json: { type: 'boolean', default: false },
  quiet: { type: 'boolean', default: false },
  host: { type: 'string' },
  port: { type: 'string' },
  tls: { type: 'boolean', default: false },
  ca: { type: 'string' },
} as const;

const MAX_DEVICES = 1_000_000;
const MAX_CONCURRENCY = 5000;

type Environment = Readonly<Record<string, string | undefined>>;

/** @throws UsageError for a wrong option */
export function fleetOptions(args: readonly string[], env: Environment = process.env): FleetOptions {
  const values = parsed(args);
  const { faults } = values;
  if (faults !== undefined && values.host !== undefined) throw new UsageError('--faults needs the simulator');
  return {
    devices: values.devices.split(',').map((text) => count('devices', text, 1, MAX_DEVICES)),
    concurrency: count('concurrency', values.concurrency, 1, MAX_CONCURRENCY),
    processes: values.processes,
    agent: values.agent,
    server: givenServer(values, env),
    folder: values.folder,
    keep: values.keep,
    namePrefix: values['name-prefix'],
    boots: count('boots', values.boots ?? (faults === undefined ? '1' : '3'), 1, 100),
    faults,
    latencyMs: count('latency', values.latency, 0, 60_000),
    json: values.json,
    quiet: values.quiet,
  };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : 'unknown options');
  }
}

function count(option: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= min && value <= max) return value;
  throw new UsageError(`--${option} “${text}” is no whole number from ${min} to ${max}`);
}

function givenServer(
  { host, port, tls, ca }: ReturnType<typeof parsed>,
  { BENCH_DEVICE_KEY: deviceKey, BENCH_DEVICE_SECRET: deviceSecret }: Environment,
): GivenServer | undefined {
  if (host === undefined) {
    if (port !== undefined || tls || ca !== undefined) throw new UsageError('--port, --tls and --ca need --host');
    return undefined;
  }
  if (!deviceKey || !deviceSecret) {
    throw new UsageError('--host needs BENCH_DEVICE_KEY and BENCH_DEVICE_SECRET in the environment');
  }
  const useSsl = tls || ca !== undefined;
  const given = count('port', port ?? (useSsl ? '8883' : '1883'), 1, 65_535);
  return { host, port: given, useSsl, caFile: ca, deviceKey, deviceSecret };
}
