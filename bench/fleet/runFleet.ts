import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { trustedAuthorities } from '../../src/config/authorities/trustedAuthorities.ts';
import { hostAndPort } from '../../src/endpoint.ts';
import { DEFAULT_DEVICE_KEY, DEFAULT_DEVICE_SECRET } from '../../src/simulator/simulator.ts';
import { bootsAsProcess } from './agentProcess.ts';
import { FAULTS_TIMEOUT_SECONDS, fleetDevice, layOutFleet } from './deviceFolders.ts';
import { type Boot, bootsInProcess, bootUntilProvisioned, type DeviceEnd } from './deviceRun.ts';
import { faultPlan } from './faultPlan.ts';
import { loginProblems, registryProblems } from './fleetCheck.ts';
import { type FleetResult, fleetResult } from './fleetResult.ts';
import { endedChildrenMs, mainThreadMs, watchMemory } from './measures.ts';
import type { FleetOptions, GivenServer } from './options.ts';
import { inFlight } from './pool.ts';
import { openProgress } from './progressBar.ts';
import { startSimulatorProcess } from './simulatorProcess.ts';

const simulated = (port: number): GivenServer => ({
  host: '127.0.0.1',
  port,
  useSsl: false,
  caFile: undefined,
  deviceKey: DEFAULT_DEVICE_KEY,
  deviceSecret: DEFAULT_DEVICE_SECRET,
});

/** Provisions one fleet, in folders that are removed afterwards. @param devices size of the fleet */
export async function runFleet(options: FleetOptions, devices: number): Promise<FleetResult> {
  const root = await mkdtemp(join(await realpath(options.folder), 'thermal-fleet-'));
  const { latencyMs, faults } = options;
  const simulator = options.server === undefined ? await startSimulatorProcess(devices, latencyMs, faults) : undefined;
  try {
    const server = options.server ?? simulated(simulator?.port ?? 0);
    const { namePrefix } = options;
    const shortTimeout = faults === undefined ? {} : { timeoutSeconds: FAULTS_TIMEOUT_SECONDS };
    await layOutFleet(root, devices, { server, namePrefix, ...shortTimeout });

    const paths = (index: number) => fleetDevice(root, index);
    const measured = await measure(options, devices, bootOf(options, devices, root));
    const provisioned = [...measured.ends.keys()].filter((index) => measured.ends[index]?.end === 'provisioned');
    const registry = await simulator?.report();
    const ca = await trustedAuthorities(root, server, 'provisioning');
    const problems =
      registry === undefined
        ? await loginProblems(paths, provisioned, { ...server, ca })
        : await registryProblems(paths, provisioned, registry);
    const setting = {
      concurrency: options.concurrency,
      processes: options.processes,
      server: simulator === undefined ? hostAndPort(server) : 'the simulator',
      folder: options.folder,
      faults: faults ?? null,
    };
    return fleetResult(setting, { ...measured, registry, problems });
  } finally {
    simulator?.close();
    if (!options.keep) await rm(root, { recursive: true, force: true });
    else process.stderr.write(`The device folders are kept: ${root}\n`);
  }
}

function bootOf({ processes, agent, faults }: FleetOptions, devices: number, root: string): Boot {
  const paths = (index: number) => fleetDevice(root, index);
  if (processes) return bootsAsProcess(agent, paths);
  if (faults === undefined) return bootsInProcess({ paths });
  const { killIn } = faultPlan(faults, devices);
  return bootsInProcess({ paths, killIn });
}

async function measure({ concurrency, boots, quiet, processes }: FleetOptions, devices: number, boot: Boot) {
  const ends: DeviceEnd[] = new Array(devices);
  const memory = watchMemory();
  const cpuBefore = cpuOf(processes);
  const startedAt = performance.now();
  const progress = quiet ? undefined : openProgress(devices);
  try {
    await inFlight(devices, concurrency, async (index) => {
      const end = await bootUntilProvisioned(boot, index, boots);
      ends[index] = end;
      progress?.ended(end.end === 'provisioned');
    });
  } finally {
    progress?.close();
  }
  const elapsedMs = performance.now() - startedAt;
  const cpu = cpuOf(processes);
  return {
    ends,
    elapsedMs,
    cpuMs: cpu.allMs - cpuBefore.allMs,
    threadMs: processes ? null : cpu.threadMs - cpuBefore.threadMs,
    memory: memory(),
  };
}

/** CPU time of the agents so far. The simulator's does not count, because the simulator still runs. */
function cpuOf(processes: boolean): { readonly allMs: number; readonly threadMs: number } {
  const { user, system } = process.cpuUsage();
  return { allMs: processes ? endedChildrenMs() : (user + system) / 1000, threadMs: mainThreadMs() };
}
