/** Device folders and servers with one fault each, and the failure that `doctor` foretells for it. */

import { chmod, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FailureCode } from '../../../src/failures/catalogue.ts';
import type { CertificateRequest } from '../../../src/simulator/certificate.ts';
import type { Simulator, SimulatorOptions } from '../../../src/simulator/simulator.ts';
import type { AgentOptions } from '../../support/agentProcess.ts';
import type { AtEnd } from '../../support/atEnd.ts';
import { startBlackHole } from '../../support/blackHole.ts';
import { type DeviceFolder, type DeviceFolderOptions, makeDeviceFolder } from '../../support/deviceFolder.ts';
import { folderInRam } from '../../support/folderInRam.ts';
import { interruptedRun } from '../../support/interruptedRun.ts';
import { AUTHORITY, certificateFor, edit, faulty } from '../../support/provocation.ts';
import { behindConnectProxy, behindProxy } from '../../support/proxies.ts';
import { startServer } from '../../support/server.ts';
import { closedPort, startHttpServer, startSilentServer } from '../../support/strangeServers.ts';
import { giveToUnprivileged, unprivileged } from '../../support/unprivileged.ts';

export interface Situation extends DeviceFolder {
  readonly server?: Simulator;
  readonly user?: AgentOptions['user'];
}
type Lay = (atEnd: AtEnd) => Promise<Situation>;

export const inFolder =
  (
    spoil: (device: DeviceFolder) => unknown,
    layout: Partial<DeviceFolderOptions> = {},
    user?: AgentOptions['user'],
  ): Lay =>
  async (atEnd) => {
    const server = await startServer(atEnd);
    const device = await makeDeviceFolder(atEnd, { port: server.port, ...layout });
    if (user !== undefined) await giveToUnprivileged(device.paths.deviceFolder);
    await spoil(device);
    return { ...device, server, ...(user === undefined ? {} : { user }) };
  };

const atPort =
  (start: (atEnd: AtEnd) => Promise<number>, provisioning: Readonly<Record<string, unknown>> = {}): Lay =>
  async (atEnd) =>
    makeDeviceFolder(atEnd, { port: await start(atEnd), provisioning });

const fromServer =
  (options: SimulatorOptions): Lay =>
  async (atEnd) => {
    const server = await startServer(atEnd, options);
    return { ...(await makeDeviceFolder(atEnd, { port: server.port })), server };
  };

export const overTls =
  (certificate: CertificateRequest, trusts = true): Lay =>
  async (atEnd) => {
    const server = await startServer(atEnd, { tls: await certificateFor(certificate) });
    const provisioning = { use_ssl: true, ...(trusts ? { ca_file: 'ca.pem' } : {}) };
    const device = await makeDeviceFolder(atEnd, { port: server.port, provisioning });
    await writeFile(join(device.paths.deviceFolder, 'ca.pem'), AUTHORITY.cert);
    return { ...device, server };
  };

const afterInterruption =
  (spoil: (device: DeviceFolder) => Promise<unknown>, user?: AgentOptions['user']): Lay =>
  async (atEnd) => {
    const run = await interruptedRun(atEnd);
    if (user !== undefined) await giveToUnprivileged(run.paths.deviceFolder);
    await spoil(run);
    return { ...run, ...(user === undefined ? {} : { user }) };
  };

const withVolatileState: Lay = async (atEnd) => {
  const server = await startServer(atEnd);
  const device = await makeDeviceFolder(atEnd, { port: server.port });
  await symlink(await folderInRam(atEnd), device.paths.stateFolder);
  return { ...device, server };
};

export const DAY_MS = 86_400_000;
const EXPIRED = { notBefore: new Date(Date.now() - 2 * DAY_MS), notAfter: new Date(Date.now() - DAY_MS) };

export const SITUATIONS: readonly (readonly [FailureCode, Lay])[] = [
  [
    'BOARD_SECRET_UNUSABLE',
    inFolder(async () => {}, { provisioning: { board_secret_file: '/absent' }, device: { name: 'hall-7' } }),
  ],
  ['PROVISION_JSON_MISSING', inFolder(({ paths }) => rm(paths.provisionJson))],
  ['PROVISION_JSON_INVALID', inFolder(({ paths }) => writeFile(paths.provisionJson, '{}'))],
  [
    'PROVISION_JSON_UNREADABLE',
    inFolder(async ({ paths }) => {
      await rm(paths.provisionJson);
      await mkdir(paths.provisionJson);
    }),
  ],
  ['CA_FILE_UNUSABLE', inFolder(() => {}, { provisioning: { use_ssl: true, ca_file: 'none.pem' } })],
  [
    'CONFIG_UNREADABLE',
    inFolder(async ({ paths }) => {
      await rm(paths.thermalConfig);
      await mkdir(paths.thermalConfig);
    }),
  ],
  ['CONFIG_TOO_LARGE', inFolder(({ paths }) => writeFile(paths.thermalConfig, 'x'.repeat(17 * 1024 * 1024)))],
  ['CONFIG_READ_ONLY', inFolder(({ paths }) => chmod(paths.thermalConfig, 0o444))],
  [
    'FOLDER_NOT_WRITABLE',
    inFolder(
      async ({ paths }) => {
        await mkdir(paths.stateFolder, { mode: 0o700 });
        await giveToUnprivileged(paths.deviceFolder);
        await chmod(paths.deviceFolder, 0o555);
      },
      {},
      unprivileged,
    ),
  ],
  ['VOLATILE_STORAGE', withVolatileState],
  ['DISK_ERROR', inFolder(({ paths }) => writeFile(paths.stateFolder, ''))],
  ['FILE_NOT_PERMITTED', afterInterruption(({ paths }) => chmod(paths.snapshot, 0), unprivileged)],
  ['SNAPSHOT_NEWER', afterInterruption(({ paths }) => edit(paths.snapshot, /"version": 1/, '"version": 2'))],
  ['CREDENTIALS_NEWER', afterInterruption(({ paths }) => edit(paths.credentials, /"version": 2/, '"version": 3'))],
  ['CREDENTIALS_FOREIGN_OWNER', afterInterruption(({ paths }) => chmod(paths.credentials, 0), unprivileged)],
  ['HOST_NOT_FOUND', atPort(async () => 1883, { host: 'no-such-host.invalid' })],
  ['CONNECTION_REFUSED', atPort(closedPort)],
  ['CONNECT_TIMEOUT', atPort(startBlackHole)],
  ['PROXY_UNREACHABLE', async (atEnd) => behindProxy(atEnd, await closedPort())],
  ['PROXY_TARGET_UNREACHABLE', (atEnd) => behindConnectProxy(atEnd, { refuse: 502 })],
  ['PROXY_LOGIN_REFUSED', (atEnd) => behindConnectProxy(atEnd, { login: 'a:b' })],
  ['PROXY_FORBIDS', (atEnd) => behindConnectProxy(atEnd, { refuse: 403 })],
  ['NOT_A_PROXY', (atEnd) => behindConnectProxy(atEnd, { refuse: 404 })],
  ['ANSWER_TIMEOUT', atPort(startSilentServer)],
  ['NOT_MQTT', atPort(startHttpServer)],
  ['SERVER_UNAVAILABLE', fromServer(faulty({ on: 'provisionConnect', action: 'refuse', code: 3 }))],
  ['CONNECTION_NOT_ACCEPTED', fromServer(faulty({ on: 'provisionConnect', action: 'refuse', code: 5 }))],
  ['PROVISION_KEY_REFUSED', fromServer({ deviceSecret: 'another-secret' })],
  ['TLS_UNKNOWN_CA', overTls({}, false)],
  ['TLS_WRONG_HOST', overTls({ ips: [], names: ['other.example'] })],
  ['TLS_EXPIRED', overTls(EXPIRED)],
  ['TLS_NOT_YET_VALID', overTls({ notBefore: new Date(Date.now() + DAY_MS) })],
  ['TLS_FAILED', atPort(startHttpServer, { use_ssl: true })],
];

/** Codes that are shown elsewhere, or that only a request, a write or a run that ended can show. */
export const NOT_HERE: readonly FailureCode[] = [
  ...(['USAGE', 'DEVICE_FOLDER_MISSING', 'CONFIG_MISSING', 'CONFIG_INVALID', 'CONFIG_LINK_UNTRUSTED'] as const),
  ...(['CONFIG_KEEPS_CHANGING', 'CONFIG_NOT_WRITTEN', 'DISK_FULL', 'LOCKED', 'SETTINGS_CHANGED'] as const),
  ...(['CREDENTIALS_LOST', 'HOST_UNREACHABLE', 'CONNECTION_LOST', 'NOT_THINGSBOARD', 'ANSWER_INVALID'] as const),
  ...(['PROVISIONING_REFUSED', 'DEVICE_NAME_TAKEN', 'CREDENTIALS_REFUSED'] as const),
  ...(['CREDENTIALS_TYPE_UNSUPPORTED', 'RESUME_LOOP', 'RUN_TIME_LIMIT', 'INTERNAL'] as const),
  ...(['CLIENT_CERTIFICATE_UNUSABLE', 'CLIENT_KEY_UNUSABLE'] as const),
];
