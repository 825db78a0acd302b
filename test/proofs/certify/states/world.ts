/** A device folder, a server, and controlled starts of the shipped agent. */

import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import { type DevicePaths, devicePaths } from '../../../../src/device/paths.ts';
import { type Simulator, type SimulatorOptions, startSimulator } from '../../../../src/simulator/simulator.ts';
import { OLD_TOKEN, provisionJsonText, putTrigger } from '../../../support/deviceFiles.ts';
import type { Intrusion } from '../../../support/intrusion.ts';
import { DEVICE_KEY, DEVICE_SECRET } from '../../../support/server.ts';
import { agentCommand, runToEnd } from '../agentProcess.ts';
import type { AgentEnding, DeviceUnderTest } from '../invariants.ts';
import { type LoginKind, type LoginSupplies, prepareLogins, setupOf } from '../logins.ts';
import type { Steering } from './steering.ts';

/** Shortens the chart's pauses of seconds. Exchanges still have some hundred milliseconds. */
const SPEED = 10;
const TIMEOUT_SECONDS = 30;
/** In real time: a run with a silent server must end before the trial's limit. */
const RUN_LIMIT_MS = 10_000;

/** The agent, and the modules that are loaded before it. */
export interface Program {
  readonly agent: string;
  readonly steered: string;
  readonly intruder: string;
  readonly finalStates: readonly string[];
  readonly supplies: LoginSupplies;
}

/** Compiles the modules that control the agent. @param folder folder of the compiled modules */
export async function prepareProgram(agent: string, folder: string, finalStates: readonly string[]): Promise<Program> {
  const steered = join(folder, 'steeredAgent.mjs');
  const intruder = join(folder, 'intruder.mjs');
  for (const [entry, outfile] of [
    ['test/proofs/certify/states/steeredAgent.ts', steered],
    ['test/support/intruder.ts', intruder],
  ] as const) {
    await build({ entryPoints: [entry], outfile, bundle: true, format: 'esm', platform: 'node', logLevel: 'warning' });
  }
  return { agent, steered, intruder, finalStates, supplies: await prepareLogins(folder) };
}

export interface WorldOptions {
  readonly server?: SimulatorOptions;
  /** Default: an access token. */
  readonly kind?: LoginKind;
  /** More keys of sections `provisioning` and `device`. */
  readonly provisioning?: Readonly<Record<string, unknown>>;
  readonly device?: Readonly<Record<string, unknown>>;
  /** Whether the device has no thermal_config.json. */
  readonly fresh?: boolean;
  readonly otherConfigs?: readonly string[];
  readonly maxDevices?: number;
}

export type Start = Pick<Steering, 'kill' | 'acts' | 'runLimitMs'> & { readonly intrusions?: readonly Intrusion[] };

export interface World {
  readonly device: DeviceUnderTest;
  readonly paths: DevicePaths;
  readonly server: Simulator;
  /** The whole output so far. */
  output(): string;
  start(start?: Start): Promise<AgentEnding>;
  /** Writes the original provision.json with these changes. */
  writeProvisionJson(device?: WorldOptions['device'], provisioning?: WorldOptions['provisioning']): Promise<void>;
  /** The text of provision.json with another device name. */
  readonly otherSettings: string;
  /** Puts a new card with only the image's files in. `device` is then the one with it. */
  loseCard(): Promise<void>;
  close(): Promise<void>;
}

/** @param folder used by this world only; removed at its end */
export async function openWorld(program: Program, folder: string, options: WorldOptions): Promise<World> {
  const setup = setupOf(options.kind ?? 'access token', program.supplies);
  const { tls } = setup;
  const server = await startSimulator({ deviceKey: DEVICE_KEY, deviceSecret: DEVICE_SECRET, tls, ...options.server });
  const paths = devicePaths(folder);
  const speedSince = Date.now();
  const printed: string[] = [];
  const text = (device: WorldOptions['device'] = setup.device, provisioning: WorldOptions['provisioning']): string =>
    provisionJsonText({
      port: server.port,
      provisioning: {
        device_key: DEVICE_KEY,
        device_secret: DEVICE_SECRET,
        timeout_seconds: TIMEOUT_SECONDS,
        max_retries: 3,
        ...setup.provisioning,
        ...provisioning,
      },
      ...(device === undefined ? {} : { device }),
    });

  const layOut = async (configured: boolean): Promise<void> => {
    await mkdir(folder, { recursive: true });
    await writeFile(paths.provisionJson, text(options.device, options.provisioning));
    await setup.putFiles(folder, configured);
    if (configured) await writeFile(paths.thermalConfig, setup.oldConfig);
    await putTrigger(paths);
  };
  const configured = options.fresh !== true;
  await layOut(configured);
  let device: DeviceUnderTest = {
    paths,
    server,
    configBefore: configured ? Buffer.from(setup.oldConfig) : undefined,
    otherConfigs: (options.otherConfigs ?? []).map((config) => Buffer.from(config)),
    secrets: [DEVICE_KEY, DEVICE_SECRET, OLD_TOKEN, ...setup.secrets],
    ...(options.maxDevices === undefined ? {} : { maxDevices: options.maxDevices }),
  };
  return {
    get device() {
      return device;
    },
    paths,
    server,
    output: () => printed.join('\n'),
    async start({ intrusions = [], ...steering } = {}) {
      const [node = '', ...rest] = agentCommand(program.agent, folder, [
        '--log-format',
        'json',
        '--log-level',
        'debug',
      ]);
      const preload = ['--import', program.steered, ...(intrusions.length > 0 ? ['--import', program.intruder] : [])];
      const full: Steering = {
        runLimitMs: RUN_LIMIT_MS,
        ...steering,
        speed: SPEED,
        speedSince,
        finalStates: program.finalStates,
      };
      const env = { STEERING: JSON.stringify(full), INTRUSIONS: JSON.stringify(intrusions) };
      const ending = await runToEnd([node, ...preload, ...rest], env);
      printed.push(ending.output);
      return ending;
    },
    writeProvisionJson: (device = options.device, provisioning = options.provisioning) =>
      writeFile(paths.provisionJson, text(device, provisioning)),
    otherSettings: text({ name: 'renamed-camera' }, options.provisioning),
    async loseCard() {
      await rm(folder, { recursive: true });
      await layOut(false);
      device = { ...device, configBefore: undefined };
    },
    async close() {
      await server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Changes the context in the snapshot. */
export async function editContext({ paths }: World, changes: Readonly<Record<string, unknown>>): Promise<void> {
  const snapshot = JSON.parse(await readFile(paths.snapshot, 'utf8'));
  await writeFile(paths.snapshot, JSON.stringify({ ...snapshot, context: { ...snapshot.context, ...changes } }));
}
