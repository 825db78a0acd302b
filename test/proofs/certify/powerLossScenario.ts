/** The traced runs of the suite: device folder, server, and the trace of a complete run. */

import { mkdtemp, realpath, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type DevicePaths, devicePaths } from '../../../src/device/paths.ts';
import type { Fault } from '../../../src/simulator/faults.ts';
import { type Simulator, startSimulator } from '../../../src/simulator/simulator.ts';
import { provisionJsonText } from '../../support/deviceFiles.ts';
import { type LoginKind, type LoginSetup, type LoginSupplies, setupOf } from './logins.ts';
import { currentFiles, type DiskFolder, loadFolder } from './powerLossDisk.ts';
import { replayOn } from './powerLossReplay.ts';
import { type Trace, traceAgent } from './powerLossTrace.ts';

export interface Scenario {
  readonly name: string;
  readonly kind: LoginKind;
  /** Whether the camera has a configuration before the run. */
  readonly configured: boolean;
  readonly faults: readonly Fault[];
  /** Number of entries of `TOLD` (powerLossPromises.ts) that the run tells. */
  readonly tells: number;
  /** Whether a normal run also tries kills before a power loss (powerLossResumed.ts). */
  readonly killed?: boolean;
  /** A normal run boots each nth of the states. All are assessed. Absent: 1. */
  readonly bootsEach?: number;
  /** Whether the card may be lost too: then only the image's files are on the next one. */
  readonly cardLost?: boolean;
}

/**
 * Longer than the 200 ms after which a state is saved that no effect waits for (src/provision/snapshotWriter.ts). So
 * every trace has that save, and all traces have the same calls.
 */
export const SLOW_ANSWER_MS = 450;
const slow = (nth: number): Fault => ({ on: 'attributeRequest', nth, action: 'delay', ms: SLOW_ANSWER_MS });

export const SCENARIOS: readonly Scenario[] = [
  { name: 'fresh', kind: 'access token', configured: false, faults: [slow(1)], tells: 7 },
  { name: 'configured', kind: 'access token', configured: true, faults: [slow(1)], tells: 8, killed: true },
  {
    name: 'reconcile',
    kind: 'access token',
    configured: true,
    faults: [{ on: 'request', nth: 1, action: 'dropAnswerAndClose' }, slow(1), slow(2)],
    tells: 8,
  },
  { name: 'MQTT_BASIC', kind: 'MQTT_BASIC', configured: true, faults: [slow(1)], tells: 8, bootsEach: 8 },
  { name: 'X.509', kind: 'X.509', configured: true, faults: [slow(1)], tells: 7, bootsEach: 8 },
  {
    name: 'derived token',
    kind: 'derived token',
    configured: true,
    faults: [slow(1)],
    tells: 8,
    bootsEach: 8,
    cardLost: true,
  },
];

/** Time of all files of the model: the agent recognises provision.txt by it. */
export const FILE_TIME = new Date('2026-01-01T00:00:00Z');

export interface TracedRun {
  readonly scenario: Scenario;
  readonly setup: LoginSetup;
  readonly folder: string;
  readonly paths: DevicePaths;
  /** The disk before the run. Replaying the trace changes it. */
  readonly disk: DiskFolder;
  readonly trace: Trace;
  /** The calls that change the disk, without the parts that differ between runs. */
  readonly signature: string;
  readonly server: Simulator;
}

const MAX_TRACES = 5;
/** The time in a backup's name, and the fingerprint in a certificate's. */
const STAMP = /\d{8}T\d{6}\.\d{3}Z|(?<=client_(?:cert|key)-)[0-9a-f]{8}/g;
const DESCRIPTOR_PATH = /<((?:\\x[0-9a-f]{2})+)>/;

function signatureOf(trace: Trace, folder: string, disk: DiskFolder): string {
  const replay = replayOn(folder, disk);
  return trace.calls
    .filter((call) => replay.apply(call))
    .map(({ name, args, strings }) => {
      const ofDescriptor = DESCRIPTOR_PATH.exec(args)?.[1]?.replaceAll('\\x', '') ?? '';
      const named = [Buffer.from(ofDescriptor, 'hex'), ...strings].map((bytes) => bytes.toString('latin1'));
      const paths = named.filter((text) => text.startsWith(folder));
      return `${name} ${paths.join(' ').replaceAll(folder, '').replaceAll(STAMP, '')}`;
    })
    .join('\n');
}

async function traceOnce(scenario: Scenario, options: TraceScenarioOptions): Promise<TracedRun> {
  const { agent, scratch, inject } = options;
  const setup = setupOf(scenario.kind, options.supplies);
  const { tls, provisioning, device } = setup;
  const server = await startSimulator({ faults: scenario.faults, tls });
  try {
    const folder = await realpath(await mkdtemp(join(scratch, `${scenario.name}-`)));
    const paths = devicePaths(folder);
    const provisionJson = provisionJsonText({
      port: server.port,
      provisioning: { timeout_seconds: 5, ...provisioning },
      ...(device === undefined ? {} : { device }),
    });
    await writeFile(paths.provisionJson, provisionJson);
    if (scenario.configured) await writeFile(paths.thermalConfig, setup.oldConfig);
    await setup.putFiles(folder, scenario.configured);
    await writeFile(paths.provisionTxt, '');
    await utimes(paths.provisionTxt, FILE_TIME, FILE_TIME);
    const [disk, spare] = [await loadFolder(folder), await loadFolder(folder)];
    const trace = await traceAgent({ agent, folder, output: `${folder}.strace`, inject });
    return { scenario, setup, folder, paths, disk, trace, signature: signatureOf(trace, folder, spare), server };
  } catch (error) {
    await server.close();
    throw error;
  }
}

export interface TraceScenarioOptions {
  readonly agent: string;
  readonly scratch: string;
  readonly supplies: LoginSupplies;
  /** strace's fault injection for the traced run. */
  readonly inject?: string | undefined;
}

/**
 * Traces a scenario until two traces have the same calls, so that the counts do not depend on the machine's speed.
 * @returns the last trace; its server still runs
 */
export async function traceScenario(scenario: Scenario, options: TraceScenarioOptions): Promise<TracedRun> {
  let previous: string | undefined;
  for (let traces = 1; ; traces++) {
    const run = await traceOnce(scenario, options);
    if (run.signature === previous || traces >= MAX_TRACES) return run;
    previous = run.signature;
    await run.server.close();
  }
}

/** Differences between the model and the real folder after the run: the model has missed a call and is not valid. */
export async function modelProblems({ folder, disk }: TracedRun): Promise<string[]> {
  const real = currentFiles(await loadFolder(folder));
  const model = currentFiles(disk);
  const paths = [...new Set([...real.keys(), ...model.keys()])];
  return paths.flatMap((path) => {
    const [is, modelled] = [real.get(path), model.get(path)];
    const same =
      is !== undefined && modelled !== undefined && is.bytes.equals(modelled.bytes) && is.mode === modelled.mode;
    return same ? [] : [`the model of the disk differs from the real one in ${path}`];
  });
}
