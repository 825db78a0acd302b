/** Agents that run at the same time, and a server that delays the first agent until the others have ended. */

import { spawn } from 'node:child_process';
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { type DevicePaths, devicePaths } from '../../../../src/device/paths.ts';
import { type Simulator, startSimulator } from '../../../../src/simulator/simulator.ts';
import { OLD_CONFIG, OLD_TOKEN, provisionJsonText, putTrigger } from '../../../support/deviceFiles.ts';
import { type FaultProxy, startFaultProxy } from '../../../support/faultProxy.ts';
import { DEVICE_KEY, DEVICE_SECRET } from '../../../support/server.ts';
import { agentCommand } from '../agentProcess.ts';
import type { AgentEnding, DeviceUnderTest } from '../invariants.ts';

/** Much longer than twenty processes need to start on two cores: an agent that needs more hangs. */
const LIMIT_MS = 60_000;

export interface RunningAgent {
  readonly pid: number;
  kill(): void;
  readonly ended: Promise<AgentEnding>;
  hasEnded(): boolean;
}

/** @param uid user and group of the agent; absent: this process's */
export function startAgent(agent: string, folder: string, uid?: number): RunningAgent {
  const [program = '', ...args] = agentCommand(agent, folder, ['--log-format', 'json', '--log-level', 'debug']);
  const child = spawn(program, args, {
    cwd: '/',
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH ?? '', THERMAL_BOARD_ID: 'board-1' },
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
  let output = '';
  let overdue = false;
  let over = false;
  const collect = (chunk: Buffer): void => {
    output += chunk.toString('utf8');
  };
  child.stdout.on('data', collect);
  child.stderr.on('data', collect);
  const timer = setTimeout(() => {
    overdue = true;
    child.kill('SIGKILL');
  }, LIMIT_MS);
  const ended = new Promise<AgentEnding>((resolve) => {
    child.once('error', (error) => {
      output += error.message;
    });
    child.once('close', (status, signal) => {
      clearTimeout(timer);
      over = true;
      resolve({ status, signal, output, overdue });
    });
  });
  return { pid: child.pid ?? 0, kill: () => void child.kill('SIGKILL'), ended, hasEnded: () => over };
}

/** A device folder whose agent holds the lock and waits for its server until `letGo`. */
export interface GuardedDevice extends DeviceUnderTest {
  /** Resolves when an agent has connected: the agent holds the lock and keeps it. */
  held(): Promise<boolean>;
  letGo(): void;
  /** Number of the agents' connections. */
  connections(): number;
  close(): Promise<void>;
}

const TIMEOUT_SECONDS = 60;

async function layOut(paths: DevicePaths, proxy: FaultProxy): Promise<void> {
  const provisioning = { device_key: DEVICE_KEY, device_secret: DEVICE_SECRET, timeout_seconds: TIMEOUT_SECONDS };
  await mkdir(paths.deviceFolder, { recursive: true });
  await chmod(paths.deviceFolder, 0o755);
  await writeFile(paths.provisionJson, provisionJsonText({ port: proxy.port, provisioning }));
  await writeFile(paths.thermalConfig, OLD_CONFIG);
  await putTrigger(paths);
}

/** @param folder used by this device only; removed at the end */
export async function openDevice(folder: string): Promise<GuardedDevice> {
  const server: Simulator = await startSimulator({ deviceKey: DEVICE_KEY, deviceSecret: DEVICE_SECRET });
  const proxy = await startFaultProxy({
    targetPort: server.port,
    framing: 'mqtt',
    fault: { connection: 1, direction: 'toServer', packet: 1, fault: 'stall', lasting: true },
  });
  const paths = devicePaths(folder);
  await layOut(paths, proxy);
  return {
    paths,
    server,
    configBefore: Buffer.from(OLD_CONFIG),
    secrets: [DEVICE_KEY, DEVICE_SECRET, OLD_TOKEN],
    held: () => until(() => proxy.connections() > 0),
    letGo: () => proxy.heal(),
    connections: () => proxy.connections(),
    async close() {
      await proxy.close();
      await server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Waits for a condition. @returns whether it was met in time */
export async function until(met: () => boolean): Promise<boolean> {
  const end = performance.now() + LIMIT_MS;
  while (!met()) {
    if (performance.now() > end) return false;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return true;
}
