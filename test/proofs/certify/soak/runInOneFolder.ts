/** Runs the agent many times in one folder, with interruptions and failures. All files must stay small. */

import { chmod, mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ProvisionState } from '../../../../machines/provision.states.ts';
import { type DevicePaths, devicePaths } from '../../../../src/device/paths.ts';
import { runAgent } from '../../../../src/provision/agent.ts';
import type { AgentResult } from '../../../../src/provision/result.ts';
import { MAX_HISTORY } from '../../../../src/state/snapshotDocument.ts';
import { readSnapshot } from '../../../../src/state/snapshotFile.ts';
import { OLD_CONFIG, provisionJsonText, putTrigger } from '../../../support/deviceFiles.ts';
import { fastTime } from '../../../support/fastTime.ts';
import { DEVICE_KEY, DEVICE_SECRET } from '../../../support/server.ts';
import type { SoakResult } from './soakResult.ts';

/** events.jsonl and events.jsonl.1 (src/provision/agent.ts). */
const MAX_EVENTS_BYTES = 256 * 1024;
const MAX_SNAPSHOT_BYTES = 64 * 1024;
const MAX_BACKUPS = 5;
/** Interruptions of a run, fewer than the limit for a resume loop. */
const INTERRUPTIONS: readonly ProvisionState[] = ['request', 'reconcile', 'verifyCredentials', 'write', 'finalize'];

/** All entries of a folder after a run, except the backups. */
const EXPECTED =
  /^(provision\.json|provision\.txt\.processed|thermal_config\.json|provision-state(\/(snapshot\.json|events\.jsonl(\.1)?))?)$/;

async function start(paths: DevicePaths, interruptIn?: ProvisionState): Promise<AgentResult> {
  const stop = new AbortController();
  const { pauses: _, ...time } = fastTime();
  return runAgent({
    paths,
    agentVersion: 'soaked',
    boardId: 'board-1',
    signal: stop.signal,
    sink: () => {},
    ...time,
    onState: (state) => {
      if (state === interruptIn) stop.abort(new Error('interrupted'));
    },
  });
}

const sizeOf = async (path: string): Promise<number> => (await stat(path).catch(() => undefined))?.size ?? 0;

async function sizeProblems(paths: DevicePaths): Promise<string[]> {
  const events = await sizeOf(paths.events);
  const older = await sizeOf(`${paths.events}.1`);
  const snapshot = await sizeOf(paths.snapshot);
  const read = await readSnapshot(paths.snapshot);
  const history = read.kind === 'snapshot' ? read.snapshot.history.length : 0;
  const names = await readdir(paths.deviceFolder, { recursive: true });
  const backups = names.filter((name) => name.includes('.backup.')).length;
  const others = names.filter((name) => !name.includes('.backup.') && !EXPECTED.test(name));
  return [
    ...(events <= MAX_EVENTS_BYTES && older <= MAX_EVENTS_BYTES ? [] : [`events: ${events} and ${older} bytes`]),
    ...(snapshot <= MAX_SNAPSHOT_BYTES ? [] : [`snapshot.json: ${snapshot} bytes`]),
    ...(history <= MAX_HISTORY ? [] : [`${history} entries of history`]),
    ...(backups <= MAX_BACKUPS ? [] : [`${backups} backups`]),
    ...(others.length === 0 ? [] : [`left behind: ${others.join(' ')}`]),
  ];
}

export async function runInOneFolder(folder: string, port: number, runs: number): Promise<SoakResult> {
  const paths = devicePaths(join(folder, 'device'));
  const provisioning = { device_key: DEVICE_KEY, device_secret: DEVICE_SECRET, max_retries: 3 };
  const problems = new Set<string>();
  let rotated = false;
  await mkdir(paths.deviceFolder);
  await writeFile(paths.thermalConfig, OLD_CONFIG);
  await writeFile(paths.provisionJson, provisionJsonText({ port, provisioning }));
  for (let run = 1; run <= runs; run += 1) {
    await putTrigger(paths);
    if (run % 4 === 0) await failOnce(paths);
    if (run % 3 === 0) for (const state of INTERRUPTIONS) await start(paths, state);
    const end = await start(paths);
    if (end.exitStatus !== 0) problems.add(`run ${run} ended with ${end.exitStatus}: ${end.failure?.message}`);
    for (const problem of await sizeProblems(paths)) problems.add(problem);
    rotated ||= (await sizeOf(`${paths.events}.1`)) > 0;
  }
  if (!rotated) problems.add('events.jsonl was never full: its limit was not tested');
  return { runs, problems: [...problems] };
}

/** A run that fails before the request is sent, and keeps provision.txt for the next run. */
async function failOnce(paths: DevicePaths): Promise<void> {
  await chmod(paths.thermalConfig, 0o400);
  const { failure } = await start(paths);
  await chmod(paths.thermalConfig, 0o600);
  if (failure?.code !== 'CONFIG_READ_ONLY') throw new Error(`a run that must fail ended with ${failure?.code}`);
}
