import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { devicePaths } from '../../device/paths.ts';
import { EXIT } from '../../failures/exit.ts';
import {
  DEFAULT_DEVICE_KEY,
  DEFAULT_DEVICE_SECRET,
  type Simulator,
  startSimulator,
} from '../../simulator/simulator.ts';
import { readDeviceFiles } from '../../status/deviceFiles.ts';
import { makeStatus } from '../../status/makeStatus.ts';
import { statusText } from '../../status/statusText.ts';
import { stopSignal } from '../stopSignal.ts';
import { type DemoPage, openDemoPage } from './demoPage.ts';

/** Long enough to kill the agent between request and answer, short enough to watch. */
const ANSWER_LATENCY_MS = 600;
/** A slow board needs many seconds for a run. */
const AGENT_LIMIT_MS = 60_000;
const OLD_CONFIG = {
  thingsboard: { host: 'old.example', port: 1883, access_token: 'the-old-token', device_id: 'thermal-camera-OLD001' },
  telemetry: { interval_seconds: 15, measurement_spots: [] },
  site: { note: 'settings that provisioning must not touch', serial: 12345678901234567890n.toString() },
};

const say = (text: string): void => void process.stdout.write(`${text}\n`);
const chapter = (title: string): void => say(`\n── ${title} ${'─'.repeat(Math.max(0, 100 - title.length))}`);

/** Waits for the agent. @returns its exit status or the name of the signal that killed it @param signal stops the agent */
function ending(agent: ChildProcess, signal: AbortSignal | undefined): Promise<number | string> {
  const stop = (): void => void agent.kill('SIGTERM');
  signal?.addEventListener('abort', stop, { once: true });
  return new Promise((resolve) => {
    const timer = setTimeout(() => agent.kill('SIGKILL'), AGENT_LIMIT_MS);
    agent.once('exit', (code, killedBy) => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', stop);
      resolve(code ?? killedBy ?? 'unknown');
    });
  });
}

const startAgent = (folder: string, more: readonly string[]): ChildProcess =>
  spawn(process.execPath, [process.argv[1] ?? '', 'run', '--dir', folder, '--log-format', 'text', ...more], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });

async function layOut(folder: string, port: number): Promise<void> {
  const provisioning = {
    device_key: DEFAULT_DEVICE_KEY,
    device_secret: DEFAULT_DEVICE_SECRET,
    host: '127.0.0.1',
    port,
    // The system's temporary folder may be in RAM.
    allow_volatile_storage: true,
  };
  await writeFile(join(folder, 'provision.json'), `${JSON.stringify({ provisioning }, null, 2)}\n`);
  await writeFile(join(folder, 'thermal_config.json'), `${JSON.stringify(OLD_CONFIG, null, 2)}\n`);
  await writeFile(join(folder, 'provision.txt'), '');
}

/** Masks the token in a configuration, because demonstrations end up in screenshots. */
async function shownConfig(path: string): Promise<string> {
  const text = await readFile(path, 'utf8');
  return text.replace(/("access_token":\s*")[^"]*/, '$1[masked]');
}

async function shownStatus(folder: string): Promise<string> {
  const boardId = process.env.THERMAL_BOARD_ID ?? '';
  return statusText(makeStatus(await readDeviceFiles(devicePaths(folder), { boardId })));
}

interface Stage {
  readonly folder: string;
  readonly simulator: Simulator;
  /** `kill` is called when the simulator has registered a device. */
  readonly power: { kill: () => void };
  readonly agentArguments: readonly string[];
  readonly page: DemoPage | undefined;
  /** Ends the demonstration; undefined: the signals have their default effect. */
  readonly signal: AbortSignal | undefined;
}

async function play({ folder, simulator, power, agentArguments, page, signal }: Stage): Promise<number> {
  chapter('1. A camera with an old configuration, provision.txt and provision.json, and a simulated ThingsBoard');
  await layOut(folder, simulator.port);
  say(`device folder: ${folder}\nserver:        ${simulator.url}`);
  say((await readdir(folder)).map((name) => `  ${name}`).join('\n'));
  await page?.opened();
  await page?.pause();
  signal?.throwIfAborted();

  chapter('2. Boot: the agent requests a device. The power fails before the answer arrives');
  const first = startAgent(folder, agentArguments);
  power.kill = () => first.kill('SIGKILL');
  say(`\nThe agent was killed by ${await ending(first, signal)}. An operator now sees this status:\n`);
  power.kill = () => {};
  signal?.throwIfAborted();
  say(await shownStatus(folder));
  await page?.pause();
  signal?.throwIfAborted();

  chapter('3. Next boot: the agent resumes the run, learns that the request had succeeded, and finishes');
  const exitStatus = await ending(startAgent(folder, agentArguments), signal);
  signal?.throwIfAborted();

  chapter('4. The result');
  say(await shownStatus(folder));
  say((await readdir(folder)).map((name) => `  ${name}`).join('\n'));
  say(`\nthermal_config.json:\n${await shownConfig(join(folder, 'thermal_config.json'))}`);
  const devices = simulator.registry.devices();
  say(`Devices on the server: ${devices.length} (${devices.map(({ name }) => name).join(', ')})`);
  return exitStatus === EXIT.OK && devices.length === 1 ? EXIT.OK : EXIT.SOFTWARE;
}

export interface DemoOptions {
  /** Whether to keep the device folder. */
  readonly keep: boolean;
  /** Whether to show the demonstration on a page, until SIGINT or SIGTERM. */
  readonly showPage: boolean;
  /** Additional options for the agents. */
  readonly agentArguments: readonly string[];
}

/**
 * Plays the demonstration in a temporary folder.
 * @returns the exit status: 0 after a success, or after SIGINT or SIGTERM
 */
export async function playDemo({ keep, showPage, agentArguments }: DemoOptions): Promise<number> {
  const signal = showPage ? stopSignal() : undefined;
  const folder = await mkdtemp(join(tmpdir(), 'thermal-demo-'));
  const power = { kill: (): void => {} };
  const simulator = await startSimulator({
    latencyMs: ANSWER_LATENCY_MS,
    onEvent: (event) => {
      if (event.type === 'commit') power.kill();
    },
  });
  const page = signal && (await openDemoPage(folder, signal));
  try {
    if (page !== undefined)
      say(
        `Open ${page.url} in a browser. The demonstration then begins, at the latest after 30 seconds. Ctrl+C ends it.`,
      );
    const exitStatus = await play({ folder, simulator, power, agentArguments, page, signal });
    if (page !== undefined) say(`\nThe page stays at ${page.url} until Ctrl+C.`);
    await page?.ended();
    return exitStatus;
  } catch (error) {
    if (signal?.aborted === true && error === signal.reason) return EXIT.OK;
    throw error;
  } finally {
    await page?.close();
    await simulator.close();
    if (keep) say(`The device folder is kept: ${folder}`);
    else await rm(folder, { recursive: true, force: true });
  }
}
