/** What must hold after a successful run: on the server, in the files, and between them. */

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { DevicePaths } from '../../src/device/paths.ts';
import type { Simulator } from '../../src/simulator/simulator.ts';
import { readSnapshot } from '../../src/state/snapshotFile.ts';
import { loginWithFile } from './fileLogin.ts';
import { clientFileProblems, filesOf, loginInConfig } from './storedLogin.ts';

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export interface ConfiguredDevice {
  readonly host: string;
  readonly port: number;
  readonly token: string;
  readonly deviceId: string;
  /** PEM of the CA certificate, with TLS and `ca_file`. */
  readonly ca?: string;
}

/** Section `thingsboard` of thermal_config.json. @throws when the file is not complete */
export async function configuredDevice({ deviceFolder, thermalConfig }: DevicePaths): Promise<ConfiguredDevice> {
  const json: unknown = JSON.parse(await readFile(thermalConfig, 'utf8'));
  const section = isRecord(json) ? json.thingsboard : undefined;
  if (!isRecord(section)) throw new Error('thermal_config.json has no section thingsboard');
  const { host, port, access_token: token, device_id: deviceId, use_ssl: useSsl, ca_file: caFile } = section;
  if (typeof host !== 'string' || typeof port !== 'number') throw new Error('no server in thermal_config.json');
  if (typeof token !== 'string' || typeof deviceId !== 'string') throw new Error('no device in thermal_config.json');
  const ca =
    useSsl === true && typeof caFile === 'string' ? await readFile(join(deviceFolder, caFile), 'utf8') : undefined;
  return { host, port, token, deviceId, ...(ca === undefined ? {} : { ca }) };
}

async function fileProblems(paths: DevicePaths): Promise<string[]> {
  const inFolder = await readdir(paths.deviceFolder);
  const inState = await readdir(paths.stateFolder);
  const left = [...inFolder, ...inState].filter((name) => name.endsWith('.tmp') || name.startsWith('.provision-probe'));
  const snapshot = await readSnapshot(paths.snapshot);
  const state = snapshot.kind === 'snapshot' ? snapshot.snapshot.state : snapshot.kind;
  return [
    ...left.map((name) => `${name} was left`),
    ...(await clientFilesProblems(paths)),
    ...(inFolder.includes('provision.txt') ? ['provision.txt is still there'] : []),
    ...(inFolder.includes('provision.txt.processed') ? [] : ['there is no provision.txt.processed']),
    ...(inState.includes('credentials.json') ? ['credentials.json was left'] : []),
    ...(state === 'provisioned' ? [] : [`the snapshot says ${state}`]),
  ];
}

/** Files of certificates: exactly those that thermal_config.json and the backups name must be there. */
async function clientFilesProblems({ deviceFolder, thermalConfig }: DevicePaths): Promise<string[]> {
  const names = await readdir(deviceFolder);
  const files = names.filter((name) => /^client_(?:cert|key)-/.test(name));
  if (files.length === 0) return [];
  const configs = [
    thermalConfig,
    ...names.filter((name) => name.includes('.backup.')).map((n) => join(deviceFolder, n)),
  ];
  const texts = await Promise.all(configs.map((path) => readFile(path)));
  return [
    ...texts.flatMap((text) => clientFileProblems(text, filesOf(deviceFolder))),
    ...files
      .filter((name) => !name.endsWith('.tmp') && !texts.some((text) => text.includes(name)))
      .map((name) => `${name} was left`),
  ];
}

/** @param expected total number of devices on the server */
async function deviceProblems(paths: DevicePaths, { registry }: Simulator, expected: number): Promise<string[]> {
  const devices = registry.devices();
  const names = devices.map(({ name }) => name).join(', ');
  const count = devices.length === expected ? [] : [`${devices.length} devices on the server: ${names}`];
  const config = await readFile(paths.thermalConfig);
  const files = filesOf(paths.deviceFolder);
  const login = loginInConfig(config, files);
  if (login === undefined) return [...count, ...clientFileProblems(config, files), 'no login in thermal_config.json'];
  const device = devices.find(({ name }) => name === login.deviceId);
  if (device === undefined) return [...count, `the server has no device ${login.deviceId}, only ${names}`];
  if (!isDeepStrictEqual(device.credentials, login.credentials)) {
    return [...count, `the credentials in the file are not those of ${device.name}`];
  }
  const answer = await loginWithFile(paths);
  return answer === 'answered' ? count : [...count, `a connect with the login of the file: ${answer}`];
}

/**
 * All problems after a successful run; empty: none. A real connection proves the login.
 * @param expectedDevices total number of devices on the server, including those of earlier runs and of an operator
 */
export async function provisionedProblems(
  paths: DevicePaths,
  simulator: Simulator,
  expectedDevices = 1,
): Promise<string[]> {
  const onServer = await deviceProblems(paths, simulator, expectedDevices).catch((error: unknown) => [
    `thermal_config.json is not whole: ${error instanceof Error ? error.name : 'error'}`,
  ]);
  return [...onServer, ...(await fileProblems(paths))];
}
