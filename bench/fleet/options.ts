import { tmpdir } from 'node:os';
import { parseArgs } from 'node:util';

/** A real server. Key and secret come from the environment, because process lists show arguments. */
export interface GivenServer {
  readonly host: string;
  readonly port: number;
  readonly useSsl: boolean;
  /** PEM file of the CA certificate; undefined: the system's certificates. */
  readonly caFile: string | undefined;
  readonly deviceKey: string;
  readonly deviceSecret: string;
}

export interface FleetOptions {
  /** Sizes of the fleets. Several fleets run one after the other, each in its own process. */
  readonly devices: readonly number[];
  /** Number of devices at the same time. */
  readonly concurrency: number;
  /** Whether each device has its own process. */
  readonly processes: boolean;
  /** main.js of the agent for `processes`. */
  readonly agent: string;
  /** Undefined: the simulator, in its own process. */
  readonly server: GivenServer | undefined;
  /** Parent of the device folders. */
  readonly folder: string;
  readonly keep: boolean;
  readonly namePrefix: string;
  /** Maximum number of starts of a device, including the first one. */
  readonly boots: number;
  /** Seed of the faults; undefined: none. */
  readonly faults: string | undefined;
  /** Delay of the simulator's answers, ms. */
  readonly latencyMs: number;
  readonly json: boolean;
  readonly quiet: boolean;
}

export class UsageError extends Error {}

export const HELP = `npm run bench:fleet -- [options]

  --devices N[,N…]    number of devices (100); several numbers: one fleet after the other, each in its own process
  --concurrency C     number of devices at the same time (200)
  --processes         one agent process for each device, instead of all in one process
  --agent MAIN.JS     agent for --processes (dist/main.js)
  --folder DIR        parent of the device folders (the system's temporary folder); /dev/shm is not a disk
  --keep              keep the device folders
  --name-prefix TEXT  prefix of the devices' names (fleet-bench)
  --latency MS        delay of the simulator's answers (0)
  --faults SEED       inject faults and kill runs, both generated from this seed; three starts for each device
  --boots N           maximum number of starts of a device (1; 3 with --faults)
  --json              print the result as JSON instead of a table
  --quiet             no progress
A server instead of the simulator, with BENCH_DEVICE_KEY and BENCH_DEVICE_SECRET in the environment:
  --host NAME  --port N (1883, with --tls 8883)  --tls  --ca FILE.PEM
UV_THREADPOOL_SIZE (32): number of parallel file operations in a process.
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

/** @throws UsageError for an invalid option */
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
  throw new UsageError(`--${option} "${text}" is not a whole number from ${min} to ${max}`);
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
