import { startSimulator } from '../../src/simulator/simulator.ts';
import { faultPlan } from './faultPlan.ts';
import type { RegistryReport } from './simulatorProcess.ts';
import { digestOf } from './tokenDigest.ts';

/** The simulated server of a fleet. */
export interface FleetSimulator {
  readonly port: number;
  report(): RegistryReport;
  close(): Promise<void>;
}

/**
 * @param devices size of the fleet
 * @param faults seed of the faults; undefined: none
 */
export async function startFleetSimulator(
  devices: number,
  latencyMs: number,
  faults: string | undefined,
): Promise<FleetSimulator> {
  const plan = faults === undefined ? undefined : faultPlan(faults, devices);
  const cpuBefore = process.cpuUsage();
  const taken = new Set<string>();
  const simulator = await startSimulator({
    latencyMs,
    ...(plan === undefined ? {} : { faults: plan.faults, commitDelayMs: plan.commitDelayMs }),
    onEvent: (event) => {
      if (event.type !== 'request' || event.deviceName === undefined || !plan?.nameTakenAt.has(event.nth)) return;
      // Another client creates a device of that name just before.
      if (simulator.registry.find(event.deviceName) !== undefined) return;
      simulator.registry.addDevice({ name: event.deviceName });
      taken.add(event.deviceName);
    },
  });
  const { registry } = simulator;
  return {
    port: simulator.port,
    report() {
      const { user, system } = process.cpuUsage(cpuBefore);
      return {
        devices: registry
          .devices()
          .filter(({ name }) => !taken.has(name))
          .map(({ name, token = '' }) => ({ name, token: digestOf(token) })),
        counts: registry.counts,
        namesTaken: taken.size,
        cpuSeconds: (user + system) / 1e6,
        peakBytes: process.resourceUsage().maxRSS * 1024,
      };
    },
    close: () => simulator.close(),
  };
}
