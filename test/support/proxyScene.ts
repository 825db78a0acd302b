/** Devices and servers for runs through proxies. */

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import type { DevicePaths } from '../../src/device/paths.ts';
import { issueAuthority, issueCertificate } from '../../src/simulator/certificate.ts';
import type { Simulator, SimulatorOptions } from '../../src/simulator/simulator.ts';
import { type AgentRun, deviceFolderFor, serverOfTest } from './agentRun.ts';
import { type ProxyOptions, startConnectProxy, startSocksProxy, type TestProxy } from './proxies.ts';

/** A name that only the proxies of these tests resolve. */
export const NAME = 'tb.example';
export const LOGIN = 'camera:p@ss/word';
export const LOGIN_IN_URL = 'camera:p%40ss%2Fword@';

export type Scheme = 'http' | 'socks5' | 'socks5h';

export const startProxy = (scheme: Scheme, options: ProxyOptions = {}): Promise<TestProxy> => {
  const start = scheme === 'http' ? startConnectProxy : startSocksProxy;
  return start(onTestFinished, { names: { [NAME]: '127.0.0.1' }, ...options });
};

/** A device whose server has a name that the device can't resolve. */
export const deviceOf = (port: number, proxy: string, more: object = {}): Promise<DevicePaths> =>
  deviceFolderFor(port, { provisioning: { host: NAME, proxy, max_retries: 0, ...more } });

/** A server with TLS, and a device that trusts its certificate. */
export async function tlsScene(proxyUrl: string, options: SimulatorOptions = {}) {
  const ca = await issueAuthority();
  const server = await serverOfTest({ ...options, tls: await issueCertificate({ names: [NAME], ca }) });
  const paths = await deviceOf(server.port, proxyUrl, { use_ssl: true, ca_file: 'ca.pem' });
  await writeFile(join(paths.deviceFolder, 'ca.pem'), ca.cert);
  return { server, paths };
}

/** Code, message and hint. */
export const failureOf = ({ failure }: AgentRun): Record<string, unknown> => ({
  code: failure?.code,
  message: failure?.message,
  hint: failure?.hint,
});

/** What the run has recorded. */
export const textsOf = async (paths: DevicePaths): Promise<string> =>
  (await Promise.all([paths.snapshot, paths.events].map((path) => readFile(path, 'utf8').catch(() => '')))).join('\n');

/** Expects one device, whose credentials are in the configuration. */
export async function expectProvisioned(run: AgentRun, server: Simulator, paths: DevicePaths): Promise<void> {
  expect(run.failure).toBeNull();
  expect(run.outcome).toBe('provisioned');
  const [device, ...others] = server.registry.devices();
  expect(others).toEqual([]);
  const { thingsboard } = JSON.parse(await readFile(paths.thermalConfig, 'utf8'));
  expect(thingsboard).toMatchObject({ host: NAME, device_id: device?.name, access_token: device?.token });
}
