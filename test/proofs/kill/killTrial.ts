/** A trial: the agent is killed as planned, and started again until the device is provisioned. */

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { type DevicePaths, devicePaths } from '../../../src/device/paths.ts';
import type { SimulatorEvent } from '../../../src/simulator/events.ts';
import { type Simulator, startSimulator } from '../../../src/simulator/simulator.ts';
import { readSnapshot } from '../../../src/state/snapshotFile.ts';
import { OLD_TOKEN, provisionJsonText, putTrigger } from '../../support/deviceFiles.ts';
import { provisionedProblems } from '../../support/provisionedDevice.ts';
import { assertNoSecrets } from '../../support/secretSearch.ts';
import { clientFileProblems, filesOf, loginInConfig, secretsOnServer } from '../../support/storedLogin.ts';
import { secretsInFiles } from '../certify/invariants.ts';
import { type LoginSetup, type LoginSupplies, setupOf } from '../certify/logins.ts';
import { type AgentEnding, startAgent } from './agentStart.ts';
import type { KillMoment, KillPlan } from './killPlan.ts';

const DEVICE_KEY = 'key-of-the-kill-test';
const DEVICE_SECRET = 'secret-of-the-kill-test';
/** Maximum number of starts without a kill. The first one should succeed. */
const MAX_STARTS = 3;
/** Time after a request in which the server may still create a device. */
const SETTLE_MS = 50;

/** A kill that has struck. */
export interface Kill {
  /** The agent's state by its log; null: no state entered. */
  readonly state: string | null;
  /** The state in the snapshot on disk. */
  readonly durableState: string;
  /** The last event of the server. */
  readonly lastSeen: string;
  /** Whether the request had arrived and provision.txt was not renamed yet. */
  readonly betweenPublishAndRename: boolean;
}

export interface TrialResult {
  readonly kills: readonly Kill[];
  /** Number of starts without a kill until exit status 0. */
  readonly starts: number;
  readonly problems: readonly string[];
}

interface Trial {
  readonly program: string;
  readonly plan: KillPlan;
  readonly paths: DevicePaths;
  readonly simulator: Simulator;
  readonly setup: LoginSetup;
  readonly seen: SimulatorEvent[];
  /** Called at each event of the server. */
  onEvent: (event: SimulatorEvent) => void;
}

const isThere = (path: string): Promise<boolean> =>
  readFile(path).then(
    () => true,
    () => false,
  );

/** Starts the agent and kills it at this moment, unless it ends before. */
async function startAndKill(trial: Trial, moment: KillMoment): Promise<AgentEnding> {
  let timer: NodeJS.Timeout | undefined;
  const agent = startAgent(trial.program, trial.paths.deviceFolder, (state) => {
    if (moment.after === `enters ${state}`) arm();
  });
  const arm = (): void => {
    timer ??= setTimeout(agent.kill, moment.delayMs);
  };
  if (moment.after === 'spawn') arm();
  trial.onEvent = ({ type }) => type === moment.after && arm();
  const ending = await agent.ended;
  clearTimeout(timer);
  trial.onEvent = () => {};
  return ending;
}

async function describeKill({ paths, seen }: Trial, { state }: AgentEnding): Promise<Kill> {
  const read = await readSnapshot(paths.snapshot);
  return {
    state,
    durableState: read.kind === 'snapshot' ? read.snapshot.state : read.kind,
    lastSeen: seen.findLast(({ type }) => type !== 'close' && type !== 'subscribe')?.type ?? 'nothing',
    betweenPublishAndRename: seen.some(({ type }) => type === 'request') && (await isThere(paths.provisionTxt)),
  };
}

/** What must hold at every moment: the configuration is the complete old one, or the complete and proven new one. */
async function problemsAtKill({ paths, plan, setup, simulator, seen }: Trial): Promise<string[]> {
  const { registry } = simulator;
  const devices = registry.size <= 1 ? [] : [`${registry.size} devices on the server after a kill`];
  const config = await readFile(paths.thermalConfig).catch(() => undefined);
  const files = filesOf(paths.deviceFolder);
  if (config?.toString() === (plan.configured ? setup.oldConfig : undefined)) {
    return [...devices, ...(config === undefined ? [] : clientFileProblems(config, files))];
  }
  const login = config && loginInConfig(config, files);
  if (login === undefined) return [...devices, 'thermal_config.json was not complete after a kill'];
  const known = registry.devices().some(({ credentials }) => isDeepStrictEqual(credentials, login.credentials));
  const proven = seen.some(({ type }) => type === 'attributeRequest');
  return known && proven ? devices : [...devices, 'unproven credentials in thermal_config.json after a kill'];
}

async function problemsOfSecrets(paths: DevicePaths, output: string, secrets: readonly string[]): Promise<string[]> {
  return assertNoSecrets(paths.deviceFolder, output, secrets).then(
    () => [],
    (error: unknown) => [error instanceof Error ? error.message : 'a secret'],
  );
}

async function play(trial: Trial): Promise<TrialResult> {
  const { plan, paths, simulator } = trial;
  const kills: Kill[] = [];
  const problems: string[] = [];
  const outputs: string[] = [];
  const secrets = new Set([DEVICE_KEY, DEVICE_SECRET, OLD_TOKEN, ...trial.setup.secrets]);
  const note = async ({ output }: AgentEnding): Promise<void> => {
    outputs.push(output);
    for (const secret of await secretsInFiles(paths)) secrets.add(secret);
  };
  for (const moment of plan.kills) {
    const ending = await startAndKill(trial, moment);
    await note(ending);
    // The run has ended before the moment.
    if (ending.status === 0) break;
    if (ending.status !== null) problems.push(`exit status ${ending.status} before a kill`);
    else kills.push(await describeKill(trial, ending));
    problems.push(...(await problemsAtKill(trial)));
  }
  let starts = 0;
  let status: number | null = null;
  while (status !== 0 && starts < MAX_STARTS) {
    const ending = await startAgent(trial.program, paths.deviceFolder).ended;
    await note(ending);
    starts += 1;
    status = ending.status;
  }
  if (status !== 0) problems.push(`exit status ${status} after ${starts} starts: ${outputs.at(-1)}`);
  const { commitDelayMs = 0, latencyMs = 0 } = plan.scenario.server;
  await new Promise((resolve) => setTimeout(resolve, commitDelayMs + latencyMs + SETTLE_MS));
  for (const secret of secretsOnServer(simulator.registry.devices())) secrets.add(secret);
  problems.push(...(await provisionedProblems(paths, simulator)));
  problems.push(...(await problemsOfSecrets(paths, outputs.join('\n'), [...secrets])));
  return { kills, starts, problems };
}

/**
 * @param program main.js of the bundle
 * @param folder the device folder, which is created
 */
export async function runKillTrial(
  program: string,
  folder: string,
  plan: KillPlan,
  supplies: LoginSupplies,
): Promise<TrialResult> {
  const setup = setupOf(plan.scenario.kind ?? 'access token', supplies);
  const seen: SimulatorEvent[] = [];
  const trial: { current?: Trial } = {};
  const simulator = await startSimulator({
    tls: setup.tls,
    ...plan.scenario.server,
    deviceKey: DEVICE_KEY,
    deviceSecret: DEVICE_SECRET,
    onEvent: (event) => {
      seen.push(event);
      trial.current?.onEvent(event);
    },
  });
  try {
    await mkdir(folder);
    const paths = devicePaths(folder);
    const provisioning = { device_key: DEVICE_KEY, device_secret: DEVICE_SECRET, ...setup.provisioning };
    const { device = setup.device } = plan.scenario;
    const json = provisionJsonText({ port: simulator.port, provisioning, ...(device === undefined ? {} : { device }) });
    await writeFile(join(folder, 'provision.json'), json);
    await setup.putFiles(folder, plan.configured);
    if (plan.configured) await writeFile(paths.thermalConfig, setup.oldConfig);
    await putTrigger(paths);
    trial.current = { program, plan, paths, simulator, setup, seen, onEvent: () => {} };
    return await play(trial.current);
  } finally {
    await simulator.close();
  }
}
