import { expect } from 'vitest';
import type { SimulatorEvent } from '../../src/simulator/events.ts';
import type { Simulator, SimulatorOptions } from '../../src/simulator/simulator.ts';
import { type AgentEnd, startAgent } from './agentProcess.ts';
import type { AtEnd } from './atEnd.ts';
import { type DeviceFolder, type DeviceFolderOptions, makeDeviceFolder } from './deviceFolder.ts';
import { startServer, watchEvents } from './server.ts';

export interface InterruptedRun extends DeviceFolder {
  readonly server: Simulator;
  /** How the interrupted agent ended. */
  readonly cut: AgentEnd;
  /** The device name that the agent had generated. */
  readonly deviceName: string;
}

interface Interruption {
  /** The server event at which SIGTERM is sent. Default `commit`: the device exists, the camera has no answer yet. */
  readonly at?: SimulatorEvent['type'];
  readonly server?: SimulatorOptions;
  readonly folder?: Partial<DeviceFolderOptions>;
}

/** The agent ends before it gets the first answer. */
const SLOW_ANSWER = { on: 'request', nth: 1, action: 'delay', ms: 3000 } as const;

/** A run that SIGTERM has interrupted, and its server. */
export async function interruptedRun(
  atEnd: AtEnd,
  { at = 'commit', server: options, folder }: Interruption = {},
): Promise<InterruptedRun> {
  const watch = watchEvents();
  const server = await startServer(atEnd, { faults: [SLOW_ANSWER], ...options, onEvent: watch.onEvent });
  const provisioning = { timeout_seconds: 5, ...folder?.provisioning };
  const device = await makeDeviceFolder(atEnd, { port: server.port, ...folder, provisioning });
  const agent = startAgent(atEnd, device.paths.deviceFolder);
  watch.when(at, () => agent.child.kill('SIGTERM'));
  const cut = await agent.ended;
  expect({ status: cut.status, signal: cut.signal }).toEqual({ status: 75, signal: null });
  const generated = cut.log.find(({ event }) => event === 'candidate.drawn')?.deviceName;
  if (typeof generated !== 'string') throw new Error('The interrupted run had generated no device name');
  return { ...device, server, cut, deviceName: generated };
}
