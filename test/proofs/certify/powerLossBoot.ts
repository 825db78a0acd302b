/** Lays out the state that a power loss has left, and starts the agent on it as the next boot would. */

import { chmod, mkdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { devicePaths } from '../../../src/device/paths.ts';
import type { Simulator } from '../../../src/simulator/simulator.ts';
import { agentCommand, runToEnd } from './agentProcess.ts';
import { completionProblems, type DeviceUnderTest, endingProblems, instantProblems } from './invariants.ts';
import type { RunFacts } from './powerLossPromises.ts';
import { FILE_TIME } from './powerLossScenario.ts';
import type { LossState } from './powerLossStates.ts';

/** Whether the server had registered the device when the power went. */
export type World = 'unregistered' | 'registered';

export interface Boot {
  readonly agent: string;
  /** A folder that is not there yet. */
  readonly folder: string;
  readonly state: LossState;
  readonly world: World;
  readonly run: RunFacts;
  /** That of the traced run: provision.json names its port. Nobody else may use it meanwhile. */
  readonly server: Simulator;
  readonly secrets: readonly string[];
}

/** Writes a state into a folder, as a disk holds it after the power came back. */
export async function layOut({ files, folders }: LossState, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const path of folders.keys()) await mkdir(join(folder, path), { recursive: true });
  for (const [path, { bytes, mode }] of files) {
    const target = join(folder, path);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, bytes);
    await chmod(target, mode);
    await utimes(target, FILE_TIME, FILE_TIME);
  }
  for (const [path, mode] of folders) await chmod(join(folder, path), mode);
}

/** The server as the world knew it then. */
export function setWorld({ registry }: Simulator, world: World, { deviceName, token }: RunFacts): void {
  for (const { name } of registry.devices()) registry.deleteDevice(name);
  if (world === 'unregistered') return;
  registry.addDevice({ name: deviceName, credentials: { type: 'ACCESS_TOKEN', token }, provisioned: true });
}

/** @returns what is not as it must be: in the state itself, in how the agent ends, and after it; empty: all is well */
export async function bootProblems({ agent, folder, state, world, run, server, secrets }: Boot): Promise<string[]> {
  await layOut(state, folder);
  setWorld(server, world, run);
  const paths = devicePaths(folder);
  const device: DeviceUnderTest = { paths, server, configBefore: run.configBefore, secrets };
  const found = await instantProblems(device, '');
  const ending = await runToEnd(agentCommand(agent, folder, ['--log-format', 'json']));
  const problems = [
    ...found.map((problem) => `before the boot: ${problem}`),
    ...endingProblems(ending),
    ...(ending.status === 0 ? [] : [`the boot ended with ${ending.status}: ${lastMessage(ending.output)}`]),
    ...(await instantProblems(device, ending.output)),
    ...(await completionProblems(device)),
  ];
  await rm(folder, { recursive: true, force: true });
  return problems;
}

function lastMessage(output: string): string {
  const [message] = [...output.matchAll(/"message":"([^"]*)"/g)].map(([, text]) => text).slice(-1);
  return message ?? 'no message';
}

/** The bytes of a file, or undefined where there is none. */
export const readIfThere = (path: string): Promise<Buffer | undefined> => readFile(path).catch(() => undefined);
