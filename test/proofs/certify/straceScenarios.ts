/** The runs whose every call is tried, with their files and servers. */

import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readProvisionJson } from '../../../src/config/provision/provisionJson.ts';
import { settingsDigest } from '../../../src/config/provision/settingsDigest.ts';
import { type DevicePaths, devicePaths } from '../../../src/device/paths.ts';
import type { Fault } from '../../../src/simulator/faults.ts';
import type { NewDevice } from '../../../src/simulator/registry.ts';
import { startSimulator } from '../../../src/simulator/simulator.ts';
import { OLD_TOKEN, provisionJsonText, putTrigger } from '../../support/deviceFiles.ts';
import { DEVICE_KEY, DEVICE_SECRET } from '../../support/server.ts';
import { agentCommand, runToEnd } from './agentProcess.ts';
import type { DeviceUnderTest } from './invariants.ts';
import { clientFileNames, type LoginKind, type LoginSetup, type LoginSupplies, setupOf } from './logins.ts';
import { hasFired, STRACE_ENV, tampering } from './strace.ts';

/** An earlier run, which is killed before the nth call of that name on that file. */
export interface EarlierRun {
  readonly call: string;
  readonly nth: number;
  readonly path: (paths: DevicePaths) => string;
}

export interface Scenario {
  readonly name: string;
  /** Whether thermal_config.json exists. */
  readonly configured: boolean;
  readonly faults: readonly Fault[];
  readonly earlier?: EarlierRun;
  /** Default: an access token. */
  readonly kind?: LoginKind;
  /** A normal run tries each nth call, and every call on the files that only its kind of credentials has. Absent: all of the suite's choice. */
  readonly each?: number;
  /** Whether the card is lost after the fault: only the image's files are on the next one. */
  readonly cardLost?: true;
}

const credentialsTemporary = ({ credentials }: DevicePaths): string => `${credentials}.tmp`;

/** The server has answered, but the credentials are not stored yet. */
const ANSWERED: EarlierRun = { call: 'openat', nth: 2, path: credentialsTemporary };

export const SCENARIOS: readonly Scenario[] = [
  { name: 'fresh', configured: false, faults: [] },
  { name: 'configured', configured: true, faults: [] },
  {
    name: 'reconcile',
    configured: true,
    // The device is committed, but the answer is lost.
    faults: [{ on: 'request', nth: 1, action: 'dropAnswerAndClose' }],
  },
  {
    name: 'resume',
    configured: true,
    faults: [],
    earlier: ANSWERED,
  },
  {
    name: 'finish',
    configured: true,
    faults: [],
    // provision.txt is renamed, but the snapshot does not record the end of the run. The first two statx are validate's.
    earlier: { call: 'statx', nth: 3, path: ({ provisionTxtProcessed }) => provisionTxtProcessed },
  },
  {
    name: 'clean-up',
    configured: true,
    faults: [],
    // The run has ended, but its credentials.json still exists.
    earlier: { call: 'unlink', nth: 1, path: ({ credentials }) => credentials },
  },
  { name: 'MQTT_BASIC', configured: true, faults: [], kind: 'MQTT_BASIC', each: 5 },
  { name: 'X.509, fresh', configured: false, faults: [], kind: 'X.509', each: 10 },
  // After the earlier run the names of the certificate's files are known, so their calls can be counted.
  { name: 'X.509', configured: true, faults: [], kind: 'X.509', each: 5, earlier: ANSWERED },
  { name: 'derived token', configured: true, faults: [], kind: 'derived token', each: 5 },
  { name: 'derived token, card lost', configured: true, faults: [], kind: 'derived token', each: 10, cardLost: true },
];

/** The files after an earlier run: made once, and copied for each trial. */
export interface Leftovers {
  readonly folder: string;
  readonly port: number;
  readonly devices: readonly NewDevice[];
  /** Names of the files that the run writes for its certificate. */
  readonly clientFiles: readonly string[];
}

/** In the far future: the run names its backups after this one, so that strace gets exact paths. */
const NEWEST_BACKUP = 'thermal_config.json.backup.20990101T000000.000Z';
const RUNS_BACKUPS = [
  'thermal_config.json.backup.20990101T000000.001Z',
  'thermal_config.json.backup.20990101T000000.002Z',
];

/** The agent's paths in two parts. One thread makes all calls of a part, because strace counts for each thread. */
export interface PathScopes {
  /** Everything except `events`. */
  readonly disk: readonly string[];
  /** The temporary files that the calls on `disk` create. */
  readonly created: readonly string[];
  /** events.jsonl, which the main thread writes. */
  readonly events: readonly string[];
}

/**
 * @param read other files that the run reads
 * @param clientFiles names of the files that the run writes for its certificate
 */
function pathScopes(paths: DevicePaths, read: readonly string[], clientFiles: readonly string[] = []): PathScopes {
  const { deviceFolder, stateFolder, provisionTxt, provisionTxtProcessed, provisionJson, thermalConfig } = paths;
  const { snapshot, credentials, lock, events } = paths;
  const backups = [NEWEST_BACKUP, ...RUNS_BACKUPS].map((name) => join(deviceFolder, name));
  const written = clientFiles.map((name) => join(deviceFolder, name));
  const replaced = [thermalConfig, snapshot, credentials, ...backups, ...written];
  const trials = [deviceFolder, stateFolder].map((folder) => join(folder, '.provision-probe'));
  const created = [...replaced, ...trials].map((path) => `${path}.tmp`);
  const asked = [provisionTxt, provisionTxtProcessed, provisionJson, lock, ...read];
  return {
    disk: [deviceFolder, stateFolder, ...asked, ...replaced, ...trials, ...created],
    created: [...created, lock],
    events: [events, `${events}.1`],
  };
}

/** A killed agent leaves its socket, which can't be copied. */
const isNoSocket = (path: string): boolean => !path.endsWith('/lock.socket');

/** The device folder and server of a trial. */
export interface Scene {
  readonly device: DeviceUnderTest;
  readonly scopes: PathScopes;
  /** A new card with only the image's files. @returns the device with it */
  loseCard(): Promise<DeviceUnderTest>;
  /** File for strace's output. */
  readonly log: string;
  close(): Promise<void>;
}

const settings = (port: number, { provisioning, device }: LoginSetup): string =>
  provisionJsonText({
    port,
    provisioning: {
      device_key: DEVICE_KEY,
      device_secret: DEVICE_SECRET,
      timeout_seconds: 5,
      max_retries: 3,
      ...provisioning,
    },
    ...(device === undefined ? {} : { device }),
  });

/** Changes port and settings digest in an earlier run's files to the trial's server, which has another port. */
async function moveToServer(paths: DevicePaths, left: Leftovers, port: number, setup: LoginSetup): Promise<void> {
  const digest = async (): Promise<string> => settingsDigest((await readProvisionJson(paths.provisionJson)).settings);
  const before = await digest();
  await writeFile(paths.provisionJson, settings(port, setup));
  const after = await digest();
  for (const path of [paths.snapshot, paths.credentials, paths.thermalConfig]) {
    const text = await readFile(path, 'utf8').catch(() => undefined);
    if (text === undefined) continue;
    const moved = text.replaceAll(new RegExp(`("port": *)${left.port}\\b`, 'g'), `$1${port}`).replaceAll(before, after);
    await writeFile(path, moved);
  }
}

async function layOut(paths: DevicePaths, configured: boolean, port: number, setup: LoginSetup): Promise<void> {
  await mkdir(paths.deviceFolder, { mode: 0o755 });
  await writeFile(paths.provisionJson, settings(port, setup));
  await setup.putFiles(paths.deviceFolder, configured);
  if (configured) {
    await writeFile(paths.thermalConfig, setup.oldConfig);
    await writeFile(join(paths.deviceFolder, NEWEST_BACKUP), '{}', { mode: 0o600 });
  }
  await putTrigger(paths);
}

/** Makes a scenario's files and starts its server. @param folder a new folder; `close` removes it */
export async function openScene(
  folder: string,
  scenario: Scenario,
  left: Leftovers | undefined,
  supplies: LoginSupplies,
): Promise<Scene> {
  await mkdir(folder);
  const paths = devicePaths(join(folder, 'device'));
  const { configured, kind = 'access token' } = scenario;
  const setup = setupOf(kind, supplies);
  const server = await startSimulator({
    deviceKey: DEVICE_KEY,
    deviceSecret: DEVICE_SECRET,
    faults: scenario.faults,
    devices: left?.devices ?? [],
    tls: setup.tls,
  });
  if (left === undefined) await layOut(paths, configured, server.port, setup);
  else {
    await cp(left.folder, paths.deviceFolder, { recursive: true, preserveTimestamps: true, filter: isNoSocket });
    await moveToServer(paths, left, server.port, setup);
  }
  const device: DeviceUnderTest = {
    paths,
    server,
    configBefore: configured ? Buffer.from(setup.oldConfig) : undefined,
    secrets: [DEVICE_KEY, DEVICE_SECRET, OLD_TOKEN, ...setup.secrets],
  };
  return {
    device,
    scopes: pathScopes(paths, setup.filesRead(paths.deviceFolder), left?.clientFiles),
    async loseCard() {
      await rm(paths.deviceFolder, { recursive: true });
      await layOut(paths, false, server.port, setup);
      return { ...device, configBefore: undefined };
    },
    log: join(folder, 'trace'),
    async close() {
      await server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Names of the files that a run with these stored credentials writes. */
async function clientFilesOf({ credentials }: DevicePaths): Promise<readonly string[]> {
  const text = await readFile(credentials, 'utf8').catch(() => '{}');
  const certificate: unknown = JSON.parse(text).candidates?.[0]?.credentials?.certificate;
  return typeof certificate === 'string' ? clientFileNames(certificate) : [];
}

/** Makes the earlier run of a scenario. @throws when the run was not killed at its call */
export async function leftoversOf(
  folder: string,
  scenario: Scenario,
  agent: string,
  supplies: LoginSupplies,
): Promise<Leftovers | undefined> {
  const { earlier } = scenario;
  if (earlier === undefined) return undefined;
  const scene = await openScene(`${folder}-run`, { ...scenario, faults: [] }, undefined, supplies);
  try {
    const { paths, server } = scene.device;
    const kill = { ...earlier, lasting: false, effect: 'kill', paths: [earlier.path(paths)] } as const;
    await runToEnd(tampering(agentCommand(agent, paths.deviceFolder), scene.log, kill), STRACE_ENV);
    const log = await readFile(scene.log, 'utf8');
    if (!hasFired(log, 'kill')) throw new Error(`${scenario.name}: the earlier run was not killed at ${earlier.call}`);
    const devices = server.registry
      .devices()
      .map(({ name, credentials, provisioned }) => ({ name, credentials, provisioned }));
    await cp(paths.deviceFolder, folder, { recursive: true, preserveTimestamps: true, filter: isNoSocket });
    return { folder, port: server.port, devices, clientFiles: await clientFilesOf(paths) };
  } finally {
    await scene.close();
  }
}
