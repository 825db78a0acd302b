/** The simulator of a fleet, in a process of its own: its work must not be measured as the agents'. */

import { startFleetSimulator } from './fleetSimulator.ts';
import type { SimulatorMessage } from './simulatorProcess.ts';

const tell = (message: SimulatorMessage): void => void process.send?.(message);

/** Runs until its parent ends or lets go of it. Any message asks for a report. */
export async function simulatorProgram(devices: number, latencyMs: number, faults: string | undefined): Promise<void> {
  const simulator = await startFleetSimulator(devices, latencyMs, faults);
  process.on('message', () => tell({ type: 'registry', report: simulator.report() }));
  process.once('disconnect', () => process.exit());
  tell({ type: 'listening', port: simulator.port });
}
