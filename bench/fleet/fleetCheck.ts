/** Checks that every camera is exactly one device: registered once, with the credentials in its folder. */

import { readFile } from 'node:fs/promises';
import * as z from 'zod';
import type { DevicePaths } from '../../src/device/paths.ts';
import type { ServerEndpoint } from '../../src/endpoint.ts';
import { Secret } from '../../src/secret.ts';
import { proveCredentials } from '../../src/thingsboard/proveCredentials.ts';
import { inFlight } from './pool.ts';
import type { RegistryReport } from './simulatorProcess.ts';
import { digestOf } from './tokenDigest.ts';

const READERS = 32;
const LOGIN_MS = 20_000;
const SHOWN = 20;

const configSchema = z.object({ thingsboard: z.object({ device_id: z.string(), access_token: z.string() }) });

interface ConfiguredDevice {
  readonly index: number;
  readonly name: string;
  readonly token: Secret;
}

async function configuredDevices(
  paths: (index: number) => DevicePaths,
  provisioned: readonly number[],
): Promise<ConfiguredDevice[]> {
  const devices: ConfiguredDevice[] = [];
  await inFlight(provisioned.length, READERS, async (nth) => {
    const index = provisioned[nth] ?? 0;
    const json: unknown = JSON.parse(await readFile(paths(index).thermalConfig, 'utf8'));
    const { device_id: name, access_token: token } = configSchema.parse(json).thingsboard;
    devices.push({ index, name, token: new Secret(token) });
  });
  return devices;
}

function sharedProblems(devices: readonly ConfiguredDevice[]): string[] {
  const names = new Map<string, number>();
  const tokens = new Map<string, number>();
  return devices.flatMap(({ index, name, token }) => {
    const digest = digestOf(token.reveal());
    const others = [names.get(name), tokens.get(digest)].filter((other) => other !== undefined);
    names.set(name, index);
    tokens.set(digest, index);
    return others.map((other) => `the devices ${other} and ${index} share name or token`);
  });
}

/**
 * Compares the devices with the simulator's registry.
 * @param provisioned indices of the devices whose run succeeded
 * @returns the problems; empty: every camera is exactly one device
 */
export async function registryProblems(
  paths: (index: number) => DevicePaths,
  provisioned: readonly number[],
  registry: RegistryReport,
): Promise<string[]> {
  const configured = await configuredDevices(paths, provisioned);
  const onServer = new Map(registry.devices.map(({ name, token }) => [name, token]));
  const unknown = configured.flatMap(({ index, name, token }) => {
    const known = onServer.get(name);
    onServer.delete(name);
    if (known === undefined) return [`device ${index}: the server has no ${name}`];
    return known === digestOf(token.reveal()) ? [] : [`device ${index}: ${name} has another token on the server`];
  });
  const unused = [...onServer.keys()].map((name) => `no camera uses the device ${name} on the server`);
  return [...sharedProblems(configured), ...unknown, ...unused];
}

/** Checks on any server that all devices differ and each can log in. Other devices on the server can't be seen. */
export async function loginProblems(
  paths: (index: number) => DevicePaths,
  provisioned: readonly number[],
  server: ServerEndpoint,
): Promise<string[]> {
  const configured = await configuredDevices(paths, provisioned);
  const problems = sharedProblems(configured);
  await inFlight(configured.length, READERS, async (nth) => {
    const device = configured[nth];
    if (device === undefined) return;
    const { index, name, token } = device;
    const signal = AbortSignal.timeout(LOGIN_MS);
    const proof = await proveCredentials({
      server,
      credentials: { type: 'ACCESS_TOKEN', token },
      deviceName: name,
      timeoutMs: LOGIN_MS,
      signal,
    });
    if (proof.kind !== 'proven') problems.push(`device ${index}: ${name} can't log in: ${proof.kind}`);
  });
  return problems;
}

/** The first problems, and the number of the others. */
export const shownProblems = (problems: readonly string[]): string[] =>
  problems.length <= SHOWN ? [...problems] : [...problems.slice(0, SHOWN), `and ${problems.length - SHOWN} more`];
