/** Writes the state after a power loss into a folder, and starts the agent there like the next boot. */

import { chmod, mkdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { devicePaths } from '../../../src/device/paths.ts';
import type { Simulator } from '../../../src/simulator/simulator.ts';
import { agentCommand, runToEnd } from './agentProcess.ts';
import { completionProblems, type DeviceUnderTest, endingProblems, instantProblems } from './invariants.ts';
import type { RunFacts } from './powerLossPromises.ts';
import { FILE_TIME } from './powerLossScenario.ts';
import type { LossState } from './powerLossStates.ts';

/** Whether the server had registered the device at the power loss. */
export type World = 'unregistered' | 'registered';

export interface Boot {
  readonly agent: string;
  /** A folder that does not exist yet. */
  readonly folder: string;
  readonly state: LossState;
  readonly world: World;
  readonly run: RunFacts;
  /** The server of the traced run, because provision.json has its port. No other boot may use it at the same time. */
  readonly server: Simulator;
  readonly secrets: readonly string[];
}

/** Writes a state into a folder. */
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

/** Sets the server's registry to its state at the power loss. */
export function setWorld({ registry }: Simulator, world: World, { login }: RunFacts): void {
  for (const { name } of registry.devices()) registry.deleteDevice(name);
  if (world === 'unregistered') return;
  registry.addDevice({ name: login.deviceId, credentials: login.credentials, provisioned: true });
}

/** @returns the problems of the state, of the agent's end and of the result; empty: none */
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

/** The bytes of a file; undefined: no file. */
export const readIfThere = (path: string): Promise<Buffer | undefined> => readFile(path).catch(() => undefined);
