/** The simulator of a fleet, in its own process: its CPU time must not count as the agents'. */

import { startFleetSimulator } from './fleetSimulator.ts';
import type { SimulatorMessage } from './simulatorProcess.ts';

const tell = (message: SimulatorMessage): void => void process.send?.(message);

/** Runs until the parent ends or disconnects. Any message requests a report. */
export async function simulatorProgram(devices: number, latencyMs: number, faults: string | undefined): Promise<void> {
  const simulator = await startFleetSimulator(devices, latencyMs, faults);
  process.on('message', () => tell({ type: 'registry', report: simulator.report() }));
  process.once('disconnect', () => process.exit());
  tell({ type: 'listening', port: simulator.port });
}
