/** What must hold after every fault, in every suite of the certificate. */

import { readdir, readFile } from 'node:fs/promises';
import { parseThermalConfig } from '../../../src/config/thermal/cameraRules.ts';
import type { DevicePaths } from '../../../src/device/paths.ts';
import { EXIT } from '../../../src/failures/exit.ts';
import type { Simulator } from '../../../src/simulator/simulator.ts';
import { readSnapshot } from '../../../src/state/snapshotFile.ts';
import { configuredDevice, provisionedProblems } from '../../support/provisionedDevice.ts';
import { assertNoSecrets } from '../../support/secretSearch.ts';

/** A device under test and its server. */
export interface DeviceUnderTest {
  readonly paths: DevicePaths;
  readonly server: Simulator;
  /** thermal_config.json before the run; undefined: no file. */
  readonly configBefore: Uint8Array | undefined;
  /** Key, secret and old token. The checks add the tokens of the server's devices and of unfinished runs. */
  readonly secrets: readonly string[];
  /** Contents that other programs have written to thermal_config.json: as valid as the old content. */
  readonly otherConfigs?: readonly Uint8Array[];
  /** Maximum number of devices on the server; default 1. */
  readonly maxDevices?: number;
}

/** The end of an agent's process. */
export interface AgentEnding {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The whole output. */
  readonly output: string;
  /** Whether the process was killed because it took longer than its limit. */
  readonly overdue: boolean;
}

const DOCUMENTED: ReadonlySet<number | null> = new Set<number>(Object.values(EXIT));

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : 'an unknown error');

/** Checks that the process ended by itself, in time, with a documented status. */
export function endingProblems({ status, signal, overdue }: AgentEnding): string[] {
  if (overdue) return ['the agent did not end by itself in time'];
  if (DOCUMENTED.has(status)) return [];
  return [`the agent ended with ${signal ?? `status ${status}`}, which is not documented`];
}

/** Whether the content was not written by the agent. */
const isOld = ({ configBefore, otherConfigs = [] }: DeviceUnderTest, bytes: Buffer): boolean =>
  [configBefore, ...otherConfigs].some((old) => old !== undefined && bytes.equals(old));

/** Checks that thermal_config.json is the complete old file, or a complete new one with the token of a device. */
async function configProblems(device: DeviceUnderTest): Promise<string[]> {
  const { paths, server, configBefore } = device;
  const bytes = await readFile(paths.thermalConfig).catch(() => undefined);
  if (bytes === undefined) return configBefore === undefined ? [] : ['thermal_config.json is gone'];
  if (isOld(device, bytes)) return [];
  try {
    // This checks only the camera's rules; test/config/ proves which parts of the old file are kept.
    parseThermalConfig(bytes);
    const { deviceId, token } = await configuredDevice(paths);
    const registered = server.registry.devices().find(({ name }) => name === deviceId);
    return registered?.token === token ? [] : [`thermal_config.json holds a token that ${deviceId} does not have`];
  } catch (error) {
    return [`thermal_config.json is neither the old nor a complete new one: ${messageOf(error)}`];
  }
}

/** Checks that the request, the snapshot and the configuration agree. */
async function agreementProblems(device: DeviceUnderTest): Promise<string[]> {
  const { paths } = device;
  const inFolder = await readdir(paths.deviceFolder);
  const inState = await readdir(paths.stateFolder).catch((): string[] => []);
  const read = await readSnapshot(paths.snapshot);
  if (read.kind === 'damaged') return [`snapshot.json is damaged: ${read.why}`];
  const state = read.kind === 'snapshot' ? read.snapshot.state : read.kind;
  const requested = inFolder.includes('provision.txt');
  const config = await readFile(paths.thermalConfig).catch(() => undefined);
  const renewed = config !== undefined && !isOld(device, config);
  return [
    ...(state === 'provisioned' && !renewed
      ? ['the snapshot says provisioned, but the configuration is the old one']
      : []),
    ...(state === 'provisioned' && requested ? ['the snapshot says provisioned, but provision.txt is there'] : []),
    ...(!requested && !renewed ? ['provision.txt is gone, but the configuration is the old one'] : []),
    // Nothing would start the agent again.
    ...(!requested && !inState.includes('credentials.json') && state !== 'provisioned'
      ? [`neither provision.txt nor credentials.json is there, but the snapshot says ${state}`]
      : []),
  ];
}

async function secretProblems(device: DeviceUnderTest, output: string): Promise<string[]> {
  const { paths, server, secrets } = device;
  const names = await readdir(paths.stateFolder).catch((): string[] => []);
  const stored = await Promise.all(
    names
      .filter((name) => name.startsWith('credentials.json'))
      .map((name) => readFile(`${paths.stateFolder}/${name}`, 'utf8').catch(() => '')),
  );
  const generated = stored.flatMap((text) =>
    [...text.matchAll(/"token": "([^"]+)"/g)].flatMap(([, token]) => token ?? []),
  );
  const issued = server.registry.devices().flatMap(({ token }) => token ?? []);
  return assertNoSecrets(paths.deviceFolder, output, [...new Set([...secrets, ...generated, ...issued])]).then(
    () => [],
    (error: unknown) => [messageOf(error)],
  );
}

/**
 * Checks what must hold at every moment, also between a fault and the next start.
 * @param output the agent's whole output so far
 */
export async function instantProblems(device: DeviceUnderTest, output: string): Promise<string[]> {
  const { size } = device.server.registry;
  const { maxDevices = 1 } = device;
  return [
    ...(size > maxDevices ? [`${size} devices on the server`] : []),
    ...(await configProblems(device)),
    ...(await agreementProblems(device)),
    ...(await secretProblems(device, output)),
  ];
}

/** Checks what must also hold after a successful run: one proven device, and nothing left to do. */
export async function completionProblems(device: DeviceUnderTest): Promise<string[]> {
  return provisionedProblems(device.paths, device.server, device.maxDevices ?? 1);
}
