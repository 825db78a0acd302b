/** Runs the agent in this process on a real device folder, and records its log. */

import { onTestFinished } from 'vitest';
import type { ProvisionState } from '../../machines/provision.states.ts';
import type { DevicePaths } from '../../src/device/paths.ts';
import { formatJson } from '../../src/log/format.ts';
import type { LogRecord } from '../../src/log/log.ts';
import { runAgent } from '../../src/provision/agent.ts';
import type { AgentOptions } from '../../src/provision/pass.ts';
import type { AgentResult } from '../../src/provision/result.ts';
import { openSnapshotWriter } from '../../src/provision/snapshotWriter.ts';
import type { Simulator, SimulatorOptions } from '../../src/simulator/simulator.ts';
import type { RecordedContext } from '../../src/state/snapshotDocument.ts';
import { systemClock } from '../../src/time/clock.ts';
import type { AtEnd } from './atEnd.ts';
import { type DeviceFolderOptions, makeDeviceFolder } from './deviceFolder.ts';
import { fastTime } from './fastTime.ts';
import { startServer } from './server.ts';

export const AGENT_VERSION = '1.0.0-test';

export interface AgentRun extends AgentResult {
  readonly records: readonly LogRecord[];
  readonly states: readonly ProvisionState[];
  /** The log records with this event. */
  of(event: string): readonly LogRecord[];
  /** All log records, as in a log file. */
  readonly text: string;
  /** Lengths of the pauses between tries, ms. The pauses took no real time. */
  readonly pauses: readonly number[];
}

type RunOptions = Partial<Omit<AgentOptions, 'paths' | 'clock' | 'chartClock'>> & {
  /** The run is interrupted in this state, as SIGTERM would do. */
  readonly interruptIn?: ProvisionState;
};

/** One start of the agent, with pauses that take no time. */
export async function runDevice(paths: DevicePaths, options: RunOptions = {}): Promise<AgentRun> {
  const { interruptIn, ...given } = options;
  const records: LogRecord[] = [];
  const states: ProvisionState[] = [];
  const controller = new AbortController();
  const { pauses, ...time } = fastTime();
  const result = await runAgent({
    paths,
    agentVersion: AGENT_VERSION,
    boardId: 'board-1',
    signal: controller.signal,
    ...time,
    ...given,
    sink: (record) => {
      records.push(record);
      given.sink?.(record);
    },
    onState: (state, context) => {
      states.push(state);
      given.onState?.(state, context);
      if (state === interruptIn) controller.abort(new Error('interrupted by the test'));
    },
  });
  return {
    ...result,
    records,
    states,
    pauses,
    of: (event) => records.filter((record) => record.event === event),
    text: records.map(formatJson).join('\n'),
  };
}

/**
 * Interrupts a run in a state and stores the snapshot of that state: the files look as if the power had failed right
 * after the snapshot was written.
 * @returns the state's context
 */
export async function cutIn(
  paths: DevicePaths,
  state: ProvisionState,
  options: RunOptions = {},
): Promise<RecordedContext> {
  let reached: RecordedContext | undefined;
  const run = await runDevice(paths, {
    ...options,
    interruptIn: state,
    onState: (entered, context) => {
      options.onState?.(entered, context);
      if (entered === state) reached = context;
    },
  });
  if (reached === undefined) throw new Error(`The run did not reach ${state}: ${run.states.join(', ')}`);
  await storeSnapshot(paths, state, reached);
  return reached;
}

/** Writes a snapshot of this state. */
export async function storeSnapshot(
  paths: DevicePaths,
  state: ProvisionState,
  context: RecordedContext,
): Promise<void> {
  const options = { path: paths.snapshot, clock: systemClock(), agentVersion: AGENT_VERSION, previous: undefined };
  const writer = openSnapshotWriter(options);
  writer.record(state, context);
  await writer.durable();
  await writer.close();
}

export interface Scene {
  readonly simulator: Simulator;
  readonly paths: DevicePaths;
}

type SceneFiles = Partial<Omit<DeviceFolderOptions, 'port'>>;

/** A simulated server that is closed after the test. */
export const serverOfTest = (options: SimulatorOptions = {}): Promise<Simulator> =>
  startServer(onTestFinished, options);

/**
 * A simulated server, and a device folder with a request for it and three retries.
 * @param atEnd concurrent tests give the function of their own context
 */
export async function scene(
  server: SimulatorOptions = {},
  files: SceneFiles = {},
  atEnd: AtEnd = onTestFinished,
): Promise<Scene> {
  const simulator = await startServer(atEnd, server);
  return { simulator, paths: await deviceFolderFor(simulator.port, files, atEnd) };
}

/** @param port port of the server in provision.json */
export async function deviceFolderFor(
  port: number,
  files: SceneFiles = {},
  atEnd: AtEnd = onTestFinished,
): Promise<DevicePaths> {
  const provisioning = { max_retries: 3, ...files.provisioning };
  return (await makeDeviceFolder(atEnd, { port, ...files, provisioning })).paths;
}
