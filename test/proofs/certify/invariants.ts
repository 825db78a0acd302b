/** What must hold after every fault, in every suite of the certificate. */

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { parseThermalConfig } from '../../../src/config/thermal/cameraRules.ts';
import type { DevicePaths } from '../../../src/device/paths.ts';
import { EXIT } from '../../../src/failures/exit.ts';
import type { Simulator } from '../../../src/simulator/simulator.ts';
import { readSnapshot } from '../../../src/state/snapshotFile.ts';
import { provisionedProblems } from '../../support/provisionedDevice.ts';
import { assertNoSecrets } from '../../support/secretSearch.ts';
import {
  clientFileProblems,
  filesOf,
  loginInConfig,
  secretLines,
  secretsInCredentials,
  secretsOnServer,
} from '../../support/storedLogin.ts';

/** A device under test and its server. */
export interface DeviceUnderTest {
  readonly paths: DevicePaths;
  readonly server: Simulator;
  /** thermal_config.json before the run; undefined: no file. */
  readonly configBefore: Uint8Array | undefined;
  /** Key, secret and old token. The checks add those of the server's devices, of unfinished runs and of key files. */
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

/**
 * Checks that thermal_config.json is the complete old file, or a complete new one with the credentials of a device. The
 * files that it names must be there.
 */
async function configProblems(device: DeviceUnderTest): Promise<string[]> {
  const { paths, server, configBefore } = device;
  const bytes = await readFile(paths.thermalConfig).catch(() => undefined);
  if (bytes === undefined) return configBefore === undefined ? [] : ['thermal_config.json is gone'];
  const files = filesOf(paths.deviceFolder);
  if (isOld(device, bytes)) return clientFileProblems(bytes, files);
  try {
    // This checks only the camera's rules; test/config/ proves which parts of the old file are kept.
    parseThermalConfig(bytes);
    const login = loginInConfig(bytes, files);
    if (login === undefined) return [...clientFileProblems(bytes, files), 'thermal_config.json has no usable login'];
    const { deviceId, credentials } = login;
    const registered = server.registry.devices().find(({ name }) => name === deviceId);
    if (isDeepStrictEqual(registered?.credentials, credentials)) return [];
    return [`thermal_config.json holds credentials that ${deviceId} does not have`];
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

/** The secrets in the files of a device: of unfinished runs, and the keys of certificates. */
export async function secretsInFiles({ deviceFolder, stateFolder }: DevicePaths): Promise<string[]> {
  const read = async (folder: string, prefix: string): Promise<string[]> => {
    const names = (await readdir(folder).catch((): string[] => [])).filter((name) => name.startsWith(prefix));
    return Promise.all(names.map((name) => readFile(join(folder, name), 'utf8').catch(() => '')));
  };
  return [
    ...(await read(stateFolder, 'credentials.json')).flatMap(secretsInCredentials),
    ...(await read(deviceFolder, 'client_key-')).flatMap(secretLines),
  ];
}

async function secretProblems(device: DeviceUnderTest, output: string): Promise<string[]> {
  const { paths, server, secrets } = device;
  const known = [...secrets, ...(await secretsInFiles(paths)), ...secretsOnServer(server.registry.devices())];
  return assertNoSecrets(paths.deviceFolder, output, [...new Set(known)]).then(
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
