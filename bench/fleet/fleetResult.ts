import * as z from 'zod';
import type { DeviceEnd } from './deviceRun.ts';
import { type Memory, quantile } from './measures.ts';
import type { RegistryReport } from './simulatorProcess.ts';

const count = z.int().nonnegative();

/** The result of a fleet, as `--json` prints it. Times are in ms (except `seconds`), sizes in bytes. */
export const fleetResultSchema = z.object({
  devices: count,
  concurrency: count,
  processes: z.boolean(),
  server: z.string(),
  folder: z.string(),
  /** Seed of the faults. */
  faults: z.string().nullable(),
  seconds: z.number(),
  devicesPerSecond: z.number(),
  succeeded: count,
  /** Number of devices that needed several tries or several starts. */
  retried: count,
  /** Number of devices that needed one start, two, three …, in this order. */
  boots: z.array(count),
  /** Number of failed devices by the failure code of their last start. */
  failed: z.record(z.string(), count),
  msPerDevice: z.object({ p50: z.number(), p95: z.number(), p99: z.number(), max: z.number() }),
  /** CPU time of all agents, divided by the devices. */
  cpuMsPerDevice: z.number(),
  /** The JavaScript thread's part of it, which limits a fleet in one process; null with processes. */
  threadMsPerDevice: z.number().nullable(),
  memory: z.object({ baseBytes: count, peakBytes: count, keptBytes: z.int(), machineBytes: count }),
  simulator: z
    .object({
      registered: count,
      cpuMsPerDevice: z.number(),
      peakBytes: count,
      counts: z.record(z.string(), count),
      namesTaken: count,
    })
    .nullable(),
  /** Cameras that are not exactly one device, and devices without a camera. */
  problems: z.array(z.string()),
});
export type FleetResult = z.infer<typeof fleetResultSchema>;

export interface Measured {
  readonly ends: readonly DeviceEnd[];
  readonly elapsedMs: number;
  readonly cpuMs: number;
  readonly threadMs: number | null;
  readonly memory: Memory;
  readonly registry: RegistryReport | undefined;
  readonly problems: readonly string[];
}

type Setting = Pick<FleetResult, 'concurrency' | 'processes' | 'server' | 'folder' | 'faults'>;

const tenth = (value: number): number => Math.round(value * 10) / 10;

export function fleetResult(setting: Setting, measured: Measured): FleetResult {
  const { ends, elapsedMs, cpuMs, threadMs, memory, registry } = measured;
  const sorted = ends.map(({ ms }) => ms).sort((a, b) => a - b);
  const each = (ms: number): number => tenth(ms / ends.length);
  return {
    devices: ends.length,
    ...setting,
    seconds: tenth(elapsedMs / 1000),
    devicesPerSecond: tenth((1000 * ends.length) / elapsedMs),
    succeeded: ends.filter(({ end }) => end === 'provisioned').length,
    retried: ends.filter(({ retries, boots }) => retries > 0 || boots > 1).length,
    boots: startsNeeded(ends),
    failed: failuresByCode(ends),
    msPerDevice: {
      p50: tenth(quantile(sorted, 0.5)),
      p95: tenth(quantile(sorted, 0.95)),
      p99: tenth(quantile(sorted, 0.99)),
      max: tenth(sorted.at(-1) ?? 0),
    },
    cpuMsPerDevice: each(cpuMs),
    threadMsPerDevice: threadMs === null ? null : each(threadMs),
    memory,
    simulator: registry === undefined ? null : simulatorResult(registry, ends.length),
    problems: [...measured.problems],
  };
}

const startsNeeded = (ends: readonly DeviceEnd[]): number[] => {
  const most = ends.reduce((max, { boots }) => Math.max(max, boots), 0);
  return Array.from({ length: most }, (_, index) => ends.filter(({ boots }) => boots === index + 1).length);
};

function failuresByCode(ends: readonly DeviceEnd[]): Record<string, number> {
  const failed: Record<string, number> = {};
  for (const { end } of ends) if (end !== 'provisioned') failed[end] = (failed[end] ?? 0) + 1;
  return failed;
}

const simulatorResult = (
  { devices: registered, cpuSeconds, peakBytes, counts, namesTaken }: RegistryReport,
  devices: number,
) => ({
  registered: registered.length,
  cpuMsPerDevice: tenth((1000 * cpuSeconds) / devices),
  peakBytes,
  counts,
  namesTaken,
});

export const isWell = ({ succeeded, devices, problems }: FleetResult): boolean =>
  succeeded === devices && problems.length === 0;
