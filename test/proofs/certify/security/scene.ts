/** A device folder with its server, and agents that are watched from outside. */

import { spawn } from 'node:child_process';
import { chmod, cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type DevicePaths, devicePaths } from '../../../../src/device/paths.ts';
import { type SimulatorOptions, startSimulator } from '../../../../src/simulator/simulator.ts';
import { OLD_TOKEN, provisionJsonText, putTrigger } from '../../../support/deviceFiles.ts';
import { DEVICE_KEY, DEVICE_SECRET } from '../../../support/server.ts';
import type { AgentEnding, DeviceUnderTest } from '../invariants.ts';
import { type LoginKind, prepareLogins, setupOf } from '../logins.ts';

export const isRoot = process.geteuid?.() === 0;
/** A user without rights. */
export const NOBODY = 65_534;
/** Much longer than any trial's run: an agent that needs more hangs. */
const LIMIT_MS = 30_000;
const LOOK_MS = 10;

/** A trial of the suite. */
export interface SecurityTrial {
  readonly name: string;
  /** @returns the problems; @throws when the trial could not be carried out */
  run(folder: string, agent: string): Promise<string[]>;
}

/** Copies the agent to a folder where every user can run it. */
export async function agentForEverybody(agent: string, scratch: string): Promise<string> {
  const folder = join(scratch, 'agent');
  await chmod(scratch, 0o755);
  await cp(dirname(agent), join(folder, 'dist'), { recursive: true });
  await writeFile(join(folder, 'package.json'), '{"type":"module"}\n');
  for (const part of [folder, join(folder, 'dist')]) await chmod(part, 0o755);
  return join(folder, 'dist/main.js');
}

export interface Scene extends DeviceUnderTest {
  close(): Promise<void>;
}

export interface SceneOptions {
  readonly server?: SimulatorOptions;
  readonly provisioning?: Readonly<Record<string, unknown>>;
  readonly device?: Readonly<Record<string, unknown>>;
  /** Default: an access token. */
  readonly kind?: LoginKind;
  /** null: no thermal_config.json. Default: that of the camera before. */
  readonly config?: string | null;
}

/** Makes a device folder; `close` removes it. @param folder its parent, which is created */
export async function openScene(folder: string, options: SceneOptions = {}): Promise<Scene> {
  const paths = devicePaths(join(folder, 'device'));
  await mkdir(paths.deviceFolder, { recursive: true });
  const setup = setupOf(options.kind ?? 'access token', await prepareLogins(folder));
  const { tls } = setup;
  const server = await startSimulator({ deviceKey: DEVICE_KEY, deviceSecret: DEVICE_SECRET, tls, ...options.server });
  const { config = setup.oldConfig } = options;
  const device = options.device ?? setup.device;
  for (const part of [folder, paths.deviceFolder]) await chmod(part, 0o755);
  const provisioning = {
    device_key: DEVICE_KEY,
    device_secret: DEVICE_SECRET,
    timeout_seconds: 5,
    max_retries: 0,
    ...setup.provisioning,
    ...options.provisioning,
  };
  const files = { port: server.port, provisioning, ...(device === undefined ? {} : { device }) };
  await writeFile(paths.provisionJson, provisionJsonText(files), { mode: 0o600 });
  if (config !== null) await writeFile(paths.thermalConfig, config, { mode: 0o600 });
  await setup.putFiles(paths.deviceFolder, config !== null);
  await putTrigger(paths);
  return {
    paths,
    server,
    configBefore: config === null ? undefined : Buffer.from(config),
    secrets: [DEVICE_KEY, DEVICE_SECRET, OLD_TOKEN, ...setup.secrets],
    async close() {
      await server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export interface AgentStart {
  /** Default: `run` with all log lines. */
  readonly args?: readonly string[];
  readonly nodeOptions?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Default 0o022. */
  readonly umask?: number;
  /** Default: this process's user. */
  readonly user?: number | undefined;
}

export interface WatchedAgent {
  kill(signal: NodeJS.Signals): void;
  readonly ended: Promise<AgentEnding>;
  /** Command lines and environments of the process and its children, which other users may see. */
  seen(): string;
}

/** The arguments of `run` with all log lines. */
export const runArguments = ({ deviceFolder }: DevicePaths, format = 'json', level = 'debug'): readonly string[] => [
  ...['run', '--dir', deviceFolder],
  ...['--log-format', format, '--log-level', level],
];

async function lookAt(pid: string, seen: Set<string>): Promise<void> {
  const read = (name: string): Promise<string> => readFile(`/proc/${pid}/${name}`, 'utf8').catch(() => '');
  for (const name of ['cmdline', 'environ']) seen.add(await read(name));
  const children = (await read(`task/${pid}/children`)).split(' ').filter((child) => child !== '');
  for (const child of children) await lookAt(child, seen);
}

/** Starts the agent like a service, through a shell that sets the umask. */
export function startWatched(agent: string, paths: DevicePaths, start: AgentStart = {}): WatchedAgent {
  const { args = runArguments(paths), nodeOptions = [], env = {}, umask = 0o022, user } = start;
  const script = `umask ${umask.toString(8)}; exec "$0" "$@"`;
  const child = spawn('/bin/sh', ['-c', script, process.execPath, ...nodeOptions, agent, ...args], {
    cwd: '/',
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH ?? '', THERMAL_BOARD_ID: 'board-1', ...env },
    ...(user === undefined ? {} : { uid: user, gid: user }),
  });
  const seen = new Set<string>();
  let output = '';
  let overdue = false;
  const collect = (chunk: Buffer): void => {
    output += chunk.toString('utf8');
  };
  child.stdout.on('data', collect);
  child.stderr.on('data', collect);
  const looks = setInterval(() => void lookAt(String(child.pid), seen), LOOK_MS);
  const limit = setTimeout(() => {
    overdue = true;
    child.kill('SIGKILL');
  }, LIMIT_MS);
  const ended = new Promise<AgentEnding>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status, signal) => {
      clearInterval(looks);
      clearTimeout(limit);
      resolve({ status, signal, output, overdue });
    });
  });
  return { kill: (signal) => void child.kill(signal), ended, seen: () => [...seen].join('\n') };
}

export const runWatched = (agent: string, paths: DevicePaths, start: AgentStart = {}): Promise<AgentEnding> =>
  startWatched(agent, paths, start).ended;
