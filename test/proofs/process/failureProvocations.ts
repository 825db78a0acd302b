import { execFileSync } from 'node:child_process';
import { chmod, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FailureCode } from '../../../src/failures/catalogue.ts';
import type { Fault } from '../../../src/simulator/faults.ts';
import { runAgentProcess, startAgent } from '../../support/agentProcess.ts';
import { startBlackHole } from '../../support/blackHole.ts';
import { makeDeviceFolder, quickProvisionJson } from '../../support/deviceFolder.ts';
import { folderInRam } from '../../support/folderInRam.ts';
import {
  afterInterruption,
  atCall,
  atPort,
  edit,
  faulty,
  fromServer,
  inFolder,
  inLayout,
  inProcess,
  overTls,
  type Provocation,
  reportOf,
} from '../../support/provocation.ts';
import { behindConnectProxy, behindProxy } from '../../support/proxies.ts';
import { startServer, watchEvents } from '../../support/server.ts';
import { closedPort, startHttpServer, startPlainBroker, startSilentServer } from '../../support/strangeServers.ts';
import { giveToUnprivileged, unprivileged } from '../../support/unprivileged.ts';

const DAY_MS = 86_400_000;
const REFUSED_BY_NAME = /delete the device .* or set another device\.name/;
const LWM2M = '{"credentialsType":"LWM2M_CREDENTIALS","status":"SUCCESS"}';
/** A certificate whose key nobody has. */
const CERTIFICATE =
  'MIIBIjCByKADAgECAhB97qt6G37ywhbqoTHkBYx4MAoGCCqGSM49BAMCMBAxDjAMBgNVBAMTBWNhbS0xMCAXDTcwMDEwMTAwMDAwMFoYDzk5OTkxMjMxMjM1OTU5WjAQMQ4wDAYDVQQDEwVjYW0tMTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABHMvM03JHRik497D4qdWa6eyOUNXo/AFyprR+AckIX4GVoopMZOAgCG2aunXLNDVT7viVBLxDLHbD/EA+40EoPyjAjAAMAoGCCqGSM49BAMCA0kAMEYCIQDkBiRpUZ/HXDE+9H8+RMoaw06uu4z6ZzoA7S0auYL7JwIhAPO6LIlIIePiy2TidLbH1dhGTBMSqFMCqWcQJEUwEAaP';
const X509 = `{"credentialsValue":"${CERTIFICATE}","credentialsType":"X509_CERTIFICATE","status":"SUCCESS"}`;
const CHECK = { strategy: 'CHECK_PRE_PROVISIONED_DEVICES', devices: [{ name: 'cam-1' }], reprovision: true } as const;
const NAMED = { device: { name: 'cam-1' } } as const;

/** How each failure is provoked. A code that is missing here does not compile. */
export const PROVOCATIONS: Readonly<Record<FailureCode, Provocation>> = {
  USAGE: {
    // The command line parser prints no log line and no code; the exit status replaces the code.
    provoke: async (atEnd) => {
      const { paths } = await makeDeviceFolder(atEnd, { port: 9 });
      const end = await runAgentProcess(atEnd, paths.deviceFolder, { command: ['run', '--no-such-option'] });
      return { hint: end.output, status: end.status, at: end.endedAt, detectableAt: end.startedAt };
    },
    hint: /unknown option '--no-such-option'.*see thermal-provision --help/s,
  },
  DEVICE_FOLDER_MISSING: { provoke: (atEnd, code) => reportOf(atEnd, code, '/nowhere/at/all') },
  PROVISION_JSON_MISSING: inFolder(({ paths }) => rm(paths.provisionJson)),
  PROVISION_JSON_UNREADABLE: inFolder(async ({ paths }) => {
    await rm(paths.provisionJson);
    await mkdir(paths.provisionJson);
  }),
  PROVISION_JSON_INVALID: inFolder(({ paths }) => writeFile(paths.provisionJson, '{}')),
  CA_FILE_UNUSABLE: inFolder(() => {}, {}, { provisioning: { use_ssl: true, ca_file: 'none.pem' } }),
  BOARD_SECRET_UNUSABLE: inFolder(
    ({ paths }) => writeFile(join(paths.deviceFolder, 'fuses'), Buffer.alloc(32)),
    {},
    { provisioning: { board_secret_file: 'fuses' }, device: { name: 'cam-1' } },
  ),
  CLIENT_CERTIFICATE_UNUSABLE: inFolder(
    async ({ paths }) => {
      const files = '"client_cert_file": "none.pem", "client_key_file": "none.pem"';
      await edit(paths.thermalConfig, /"access_token": "[^"]*"/, files);
      await edit(paths.thermalConfig, /"use_ssl": false/, '"use_ssl": true');
    },
    { command: ['start', '--no-provision'] },
  ),
  CONFIG_MISSING: inFolder(({ paths }) => rm(paths.thermalConfig), { command: ['start', '--no-provision'] }),
  CONFIG_INVALID: inFolder(({ paths }) => writeFile(paths.thermalConfig, '{}'), {
    command: ['start', '--no-provision'],
  }),
  CONFIG_UNREADABLE: inFolder(async ({ paths }) => {
    await rm(paths.thermalConfig);
    await mkdir(paths.thermalConfig);
  }),
  CONFIG_TOO_LARGE: inFolder(({ paths }) => writeFile(paths.thermalConfig, 'x'.repeat(17 * 1024 * 1024))),
  CONFIG_READ_ONLY: inFolder(({ paths }) => chmod(paths.thermalConfig, 0o444)),
  CONFIG_LINK_UNTRUSTED: {
    needsRoot: true,
    ...inFolder(
      async ({ paths }) => {
        await rm(paths.thermalConfig);
        await symlink('elsewhere.json', paths.thermalConfig);
        execFileSync('chown', ['-h', '1234', paths.thermalConfig]);
      },
      { user: unprivileged },
    ),
  },
  CONFIG_KEEPS_CHANGING: atCall(({ paths }) => [
    {
      call: 'rename',
      path: 'Z',
      after: true,
      lasting: true,
      act: { do: 'append', path: paths.thermalConfig, text: ' ' },
    },
  ]),
  CONFIG_NOT_WRITTEN: atCall(
    ({ paths }) => [
      {
        call: 'rename',
        path: '/thermal_config.json',
        after: true,
        act: { do: 'write', path: paths.thermalConfig, text: '{' },
      },
    ],
    /Check the storage/,
  ),
  FOLDER_NOT_WRITABLE: inFolder(
    async ({ paths }) => {
      await mkdir(paths.stateFolder, { mode: 0o700 });
      await giveToUnprivileged(paths.deviceFolder);
      await chmod(paths.deviceFolder, 0o555);
    },
    { user: unprivileged },
  ),
  FILE_NOT_PERMITTED: afterInterruption(({ paths }) => chmod(paths.snapshot, 0), { user: unprivileged }),
  DISK_FULL: atCall(() => [{ call: 'open', path: 'Z.tmp', act: { do: 'fail', errno: 'ENOSPC' } }]),
  DISK_ERROR: atCall(() => [{ call: 'sync', path: 'Z.tmp', act: { do: 'fail', errno: 'EIO' } }]),
  VOLATILE_STORAGE: {
    provoke: async (atEnd, code) => {
      const { paths } = await makeDeviceFolder(atEnd, { port: 9 });
      await symlink(await folderInRam(atEnd), paths.stateFolder);
      return reportOf(atEnd, code, paths.deviceFolder);
    },
  },
  SNAPSHOT_NEWER: afterInterruption(({ paths }) => edit(paths.snapshot, /"version": 1/, '"version": 2')),
  CREDENTIALS_NEWER: afterInterruption(({ paths }) => edit(paths.credentials, /"version": 2/, '"version": 3')),
  CREDENTIALS_FOREIGN_OWNER: afterInterruption(({ paths }) => chmod(paths.credentials, 0), { user: unprivileged }),
  CREDENTIALS_LOST: {
    provoke: async (atEnd, code) => {
      const watch = watchEvents();
      const faults: readonly Fault[] = [{ on: 'deviceConnect', nth: 1, action: 'refuse', code: 5 }];
      const server = await startServer(atEnd, { faults, onEvent: watch.onEvent });
      const { paths } = await makeDeviceFolder(atEnd, { port: server.port });
      // During the pause before the second proof.
      watch.when('connack', () => void rm(paths.credentials), 2);
      return reportOf(atEnd, code, paths.deviceFolder);
    },
  },
  LOCKED: {
    provoke: async (atEnd, code) => {
      const watch = watchEvents();
      const server = await startServer(atEnd, { latencyMs: 3000, onEvent: watch.onEvent });
      const { paths } = await makeDeviceFolder(atEnd, { port: server.port, provisioning: { timeout_seconds: 9 } });
      const asked = new Promise<void>((resolve) => watch.when('request', resolve));
      startAgent(atEnd, paths.deviceFolder);
      await asked;
      return reportOf(atEnd, code, paths.deviceFolder);
    },
  },
  HOST_NOT_FOUND: atPort(async () => 1883, { host: 'no-such-host.invalid' }),
  CONNECTION_REFUSED: atPort(closedPort),
  HOST_UNREACHABLE: atPort(async () => 1883, { host: '255.255.255.255' }),
  CONNECTION_LOST: fromServer(faulty({ on: 'request', nth: 1, action: 'close' })),
  CONNECT_TIMEOUT: atPort(startBlackHole),
  PROXY_UNREACHABLE: inLayout(async (atEnd) => behindProxy(atEnd, await closedPort())),
  PROXY_TARGET_UNREACHABLE: inLayout((atEnd) => behindConnectProxy(atEnd, { refuse: 502 })),
  PROXY_LOGIN_REFUSED: inLayout((atEnd) => behindConnectProxy(atEnd, { login: 'user:word' })),
  PROXY_FORBIDS: inLayout((atEnd) => behindConnectProxy(atEnd, { refuse: 403 })),
  NOT_A_PROXY: inLayout((atEnd) => behindConnectProxy(atEnd, { refuse: 404 })),
  ANSWER_TIMEOUT: atPort(startSilentServer),
  SERVER_UNAVAILABLE: fromServer(faulty({ on: 'provisionConnect', action: 'refuse', code: 3 })),
  NOT_MQTT: { ...atPort(startHttpServer), hint: /A web server, a proxy or the log-in page of a network/ },
  NOT_THINGSBOARD: atPort(startPlainBroker),
  CONNECTION_NOT_ACCEPTED: fromServer(faulty({ on: 'provisionConnect', action: 'refuse', code: 5 })),
  TLS_UNKNOWN_CA: overTls({}, false),
  TLS_WRONG_HOST: overTls({ ips: [], names: ['other.example'] }),
  TLS_EXPIRED: overTls({ notBefore: new Date(Date.now() - 2 * DAY_MS), notAfter: new Date(Date.now() - DAY_MS) }),
  TLS_NOT_YET_VALID: overTls({ notBefore: new Date(Date.now() + DAY_MS) }),
  TLS_FAILED: {
    ...atPort(startHttpServer, { use_ssl: true }),
    hint: /provisioning\.port must be the server's TLS port/,
  },
  PROVISION_KEY_REFUSED: fromServer({}, { provisioning: { device_key: 'some-other-key' } }),
  DEVICE_NAME_TAKEN: fromServer({ devices: [{ name: 'cam-1' }] }, NAMED, REFUSED_BY_NAME),
  // The first name is probed for 7 s: in the test's process these pauses take no time.
  PROVISIONING_REFUSED: inProcess({ deviceLimit: 0 }, {}, /check the tenant's device limit/),
  ANSWER_INVALID: fromServer({ ...CHECK, ...faulty({ on: 'request', action: 'malformedAnswer' }) }, NAMED),
  CREDENTIALS_TYPE_UNSUPPORTED: fromServer(faulty({ on: 'request', action: 'answer', payload: LWM2M })),
  CLIENT_KEY_UNUSABLE: fromServer(faulty({ on: 'request', action: 'answer', payload: X509 })),
  CREDENTIALS_REFUSED: fromServer(
    faulty({ on: 'deviceConnect', action: 'refuse', code: 5 }),
    {},
    /still exists and whether its credentials were changed/,
  ),
  SETTINGS_CHANGED: {
    provoke: async (atEnd, code) => {
      const watch = watchEvents();
      const server = await startServer(atEnd, { latencyMs: 200, onEvent: watch.onEvent });
      const { paths } = await makeDeviceFolder(atEnd, { port: server.port });
      for (const nth of [1, 2, 3]) {
        const changed = quickProvisionJson({ port: server.port, device: { name: `cam-${nth}` } });
        watch.when('commit', () => void writeFile(paths.provisionJson, changed), nth);
      }
      return reportOf(atEnd, code, paths.deviceFolder);
    },
    hint: /Do not change provision\.json while the agent runs/,
  },
  RESUME_LOOP: afterInterruption(({ paths }) => edit(paths.snapshot, /"resumes": 0/, '"resumes": 20')),
  // Only the library has an option for this limit.
  RUN_TIME_LIMIT: inProcess(
    faulty({ on: 'request', action: 'silence' }),
    { runTimeLimitMs: 300 },
    /next boot resumes with the same device name/,
  ),
  INTERNAL: inFolder(() => {}, { env: { BROKEN_RANDOM: '1' } }),
};
