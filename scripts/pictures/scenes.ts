/** The runs of the pictures: real runs of the agent against the simulator, in a time that is the same in every run. */
import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ProvisionState } from '../../machines/provision.states.ts';
import { type DevicePaths, devicePaths } from '../../src/device/paths.ts';
import { runAgent } from '../../src/provision/agent.ts';
import type { AgentResult } from '../../src/provision/result.ts';
import type { Fault } from '../../src/simulator/faults.ts';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import { type DeviceFiles, readDeviceFiles } from '../../src/status/deviceFiles.ts';
import { OLD_CONFIG, provisionJsonText, putTrigger } from '../../test/support/deviceFiles.ts';

/** The version that the pictures show. A release does not make them stale. */
export const SHOWN_VERSION = '1.0.0';
export const SHOWN_FOLDER = '/var/lib/thermal-camera';
const SHOWN_HOST = 'tb.example.com';
const SHOWN_SERVER = `${SHOWN_HOST}:8883`;
const SHOWN_DEVICE = 'thermal-camera-7Q2M9K';
const SHOWN_RUN = '5d0c1e9a42b7f836';

const BOARD = 'board-1';
const CA_FILE = 'ca.pem';
const START = Date.parse('2026-11-23T11:51:44.120Z');
/** Durations of the states as on a slow network, ms. */
const DURATIONS: { readonly [State in ProvisionState]?: number } = {
  detect: 6,
  validate: 48,
  prepare: 31,
  request: 412,
  reconcile: 356,
  verifyCredentials: 338,
  backup: 22,
  write: 35,
  finalize: 19,
};
/** Time from an interruption to the next boot. */
const POWERED_OFF_MS = 42_000;
/** Time from the end of a run to the look at its files. */
const LATER_MS = 6 * 60_000;

export interface Scene {
  readonly faults?: readonly Fault[];
  /** More keys of provision.json. */
  readonly provisioning?: Readonly<Record<string, unknown>>;
  /** The run is interrupted in this state, and then resumed. */
  readonly interruptIn?: ProvisionState;
}

/** A clock that stands still, except for the given times. */
function steppedClock() {
  let elapsed = 0;
  return {
    advance: (ms: number): void => {
      elapsed += ms;
    },
    clock: { now: () => START + elapsed, monotonic: () => elapsed },
  };
}

async function layOut(paths: DevicePaths, { port, caPem = '' }: Simulator, scene: Scene): Promise<void> {
  const provisioning = { use_ssl: true, ca_file: CA_FILE, ...scene.provisioning };
  await writeFile(join(paths.deviceFolder, CA_FILE), caPem);
  await writeFile(paths.provisionJson, provisionJsonText({ port, provisioning }));
  await writeFile(paths.thermalConfig, OLD_CONFIG);
  await putTrigger(paths);
}

/**
 * Plays a scene in a temporary folder.
 * @param show makes a text from the files of the device
 * @returns this text, with names and addresses that are the same in every run
 */
export async function play(scene: Scene, show: (files: DeviceFiles) => string): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'thermal-picture-')));
  const simulator = await startSimulator({ faults: scene.faults, tls: 'generated' });
  try {
    const paths = devicePaths(folder);
    await layOut(paths, simulator, scene);
    const { clock, advance } = steppedClock();
    const start = (interruptIn?: ProvisionState): Promise<AgentResult> => {
      const power = new AbortController();
      return runAgent({
        paths,
        agentVersion: SHOWN_VERSION,
        boardId: BOARD,
        clock,
        signal: power.signal,
        sink: () => {},
        onState(state) {
          advance(DURATIONS[state] ?? 0);
          if (state === interruptIn) power.abort(new Error('interrupted for the picture'));
        },
      });
    };
    if (scene.interruptIn !== undefined) {
      await start(scene.interruptIn);
      advance(POWERED_OFF_MS);
    }
    const { runId, deviceName } = await start();
    if (runId === null || deviceName === null) throw new Error('the run for the picture did not begin');
    advance(LATER_MS);
    const text = show(await readDeviceFiles(paths, { boardId: BOARD, now: clock.now() }));
    return text
      .replaceAll(folder, SHOWN_FOLDER)
      .replaceAll(deviceName, SHOWN_DEVICE)
      .replaceAll(runId, SHOWN_RUN)
      .replaceAll(`127.0.0.1:${simulator.port}`, SHOWN_SERVER)
      .replaceAll('127.0.0.1', SHOWN_HOST);
  } finally {
    await simulator.close();
    await rm(folder, { recursive: true, force: true });
  }
}
