/** The runs whose every call is tried, with their files and servers. */

import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readProvisionJson } from '../../../src/config/provision/provisionJson.ts';
import { settingsDigest } from '../../../src/config/provision/settingsDigest.ts';
import { type DevicePaths, devicePaths } from '../../../src/device/paths.ts';
import type { Fault } from '../../../src/simulator/faults.ts';
import type { NewDevice } from '../../../src/simulator/registry.ts';
import { type Simulator, startSimulator } from '../../../src/simulator/simulator.ts';
import { OLD_CONFIG, OLD_TOKEN, provisionJsonText, putTrigger } from '../../support/deviceFiles.ts';
import { DEVICE_KEY, DEVICE_SECRET } from '../../support/server.ts';
import { agentCommand, runToEnd } from './agentProcess.ts';
import type { DeviceUnderTest } from './invariants.ts';
import { hasFired, STRACE_ENV, tampering } from './strace.ts';

/** An earlier run, which is killed before the nth call of that name on that file. */
export interface EarlierRun {
  readonly call: string;
  readonly nth: number;
  readonly path: (paths: DevicePaths) => string;
}

export interface Scenario {
  readonly name: string;
  /** thermal_config.json; null: no file. */
  readonly config: string | null;
  readonly faults: readonly Fault[];
  readonly earlier?: EarlierRun;
}

const credentialsTemporary = ({ credentials }: DevicePaths): string => `${credentials}.tmp`;

export const SCENARIOS: readonly Scenario[] = [
  { name: 'fresh', config: null, faults: [] },
  { name: 'configured', config: OLD_CONFIG, faults: [] },
  {
    name: 'reconcile',
    config: OLD_CONFIG,
    // The device is committed, but the answer is lost.
    faults: [{ on: 'request', nth: 1, action: 'dropAnswerAndClose' }],
  },
  {
    name: 'resume',
    config: OLD_CONFIG,
    faults: [],
    // The server has answered, but the credentials are not stored yet.
    earlier: { call: 'openat', nth: 2, path: credentialsTemporary },
  },
  {
    name: 'finish',
    config: OLD_CONFIG,
    faults: [],
    // provision.txt is renamed, but the snapshot does not record the end of the run. The first two statx are validate's.
    earlier: { call: 'statx', nth: 3, path: ({ provisionTxtProcessed }) => provisionTxtProcessed },
  },
  {
    name: 'clean-up',
    config: OLD_CONFIG,
    faults: [],
    // The run has ended, but its credentials.json still exists.
    earlier: { call: 'unlink', nth: 1, path: ({ credentials }) => credentials },
  },
];

/** The files after an earlier run: made once, and copied for each trial. */
export interface Leftovers {
  readonly folder: string;
  readonly port: number;
  readonly devices: readonly NewDevice[];
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

export function pathScopes(paths: DevicePaths): PathScopes {
  const { deviceFolder, stateFolder, provisionTxt, provisionTxtProcessed, provisionJson, thermalConfig } = paths;
  const { snapshot, credentials, lock, events } = paths;
  const backups = [NEWEST_BACKUP, ...RUNS_BACKUPS].map((name) => join(deviceFolder, name));
  const replaced = [thermalConfig, snapshot, credentials, ...backups];
  const trials = [deviceFolder, stateFolder].map((folder) => join(folder, '.provision-probe'));
  const created = [...replaced, ...trials].map((path) => `${path}.tmp`);
  const asked = [provisionTxt, provisionTxtProcessed, provisionJson, lock];
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
  /** File for strace's output. */
  readonly log: string;
  close(): Promise<void>;
}

const settings = (port: number): string =>
  provisionJsonText({
    port,
    provisioning: { device_key: DEVICE_KEY, device_secret: DEVICE_SECRET, timeout_seconds: 5, max_retries: 3 },
  });

/** Changes port and settings digest in an earlier run's files to the trial's server, which has another port. */
async function moveToServer(paths: DevicePaths, left: Leftovers, port: number): Promise<void> {
  const digest = async (): Promise<string> => settingsDigest((await readProvisionJson(paths.provisionJson)).settings);
  const before = await digest();
  await writeFile(paths.provisionJson, settings(port));
  const after = await digest();
  for (const path of [paths.snapshot, paths.credentials, paths.thermalConfig]) {
    const text = await readFile(path, 'utf8').catch(() => undefined);
    if (text === undefined) continue;
    const moved = text.replaceAll(new RegExp(`("port": *)${left.port}\\b`, 'g'), `$1${port}`).replaceAll(before, after);
    await writeFile(path, moved);
  }
}

async function layOut(paths: DevicePaths, { config }: Scenario, port: number): Promise<void> {
  await mkdir(paths.deviceFolder, { mode: 0o755 });
  await writeFile(paths.provisionJson, settings(port));
  if (config !== null) {
    await writeFile(paths.thermalConfig, config);
    await writeFile(join(paths.deviceFolder, NEWEST_BACKUP), '{}', { mode: 0o600 });
  }
  await putTrigger(paths);
}

const sceneOf = (folder: string, paths: DevicePaths, server: Simulator, { config }: Scenario): Scene => ({
  device: {
    paths,
    server,
    configBefore: config === null ? undefined : Buffer.from(config),
    secrets: [DEVICE_KEY, DEVICE_SECRET, OLD_TOKEN],
  },
  log: join(folder, 'trace'),
  close: async () => {
    await server.close();
    await rm(folder, { recursive: true, force: true });
  },
});

/** Makes a scenario's files and starts its server. @param folder a new folder; `close` removes it */
export async function openScene(folder: string, scenario: Scenario, left: Leftovers | undefined): Promise<Scene> {
  await mkdir(folder);
  const paths = devicePaths(join(folder, 'device'));
  const server = await startSimulator({
    deviceKey: DEVICE_KEY,
    deviceSecret: DEVICE_SECRET,
    faults: scenario.faults,
    devices: left?.devices ?? [],
  });
  if (left === undefined) await layOut(paths, scenario, server.port);
  else {
    await cp(left.folder, paths.deviceFolder, { recursive: true, preserveTimestamps: true, filter: isNoSocket });
    await moveToServer(paths, left, server.port);
  }
  return sceneOf(folder, paths, server, scenario);
}

/** Makes the earlier run of a scenario. @throws when the run was not killed at its call */
export async function leftoversOf(folder: string, scenario: Scenario, agent: string): Promise<Leftovers | undefined> {
  const { earlier } = scenario;
  if (earlier === undefined) return undefined;
  const scene = await openScene(`${folder}-run`, { ...scenario, faults: [] }, undefined);
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
    return { folder, port: server.port, devices };
  } finally {
    await scene.close();
  }
}
