/** Provisions many devices in one process, some of them at the same time. */

import { getEventListeners, setMaxListeners } from 'node:events';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { devicePaths } from '../../../../src/device/paths.ts';
import { runAgent } from '../../../../src/provision/agent.ts';
import { OLD_CONFIG, provisionJsonText, putTrigger } from '../../../support/deviceFiles.ts';
import { configuredDevice } from '../../../support/provisionedDevice.ts';
import { DEVICE_KEY, DEVICE_SECRET } from '../../../support/server.ts';
import { inParallel } from '../inParallel.ts';
import { growthProblems, type Sample, takeSample } from './heapSamples.ts';
import type { SoakResult } from './soakResult.ts';

const IN_FLIGHT = 20;
/** Number of provisionings between two samples. */
const WAVE = 100;

interface Many {
  readonly folder: string;
  readonly port: number;
  readonly runs: number;
}

async function provisionOne(folder: string, port: number, signal: AbortSignal): Promise<string[]> {
  const paths = devicePaths(folder);
  await mkdir(folder);
  const provisioning = { device_key: DEVICE_KEY, device_secret: DEVICE_SECRET };
  await writeFile(paths.provisionJson, provisionJsonText({ port, provisioning }));
  await writeFile(paths.thermalConfig, OLD_CONFIG);
  await putTrigger(paths);
  const run = await runAgent({ paths, agentVersion: 'soaked', boardId: 'board-1', signal, sink: () => {} });
  if (run.outcome !== 'provisioned') return [`${run.outcome}: ${run.failure?.message ?? ''}`];
  const { deviceId } = await configuredDevice(paths);
  await rm(folder, { recursive: true });
  return deviceId === run.deviceName ? [] : [`${run.deviceName} was provisioned, but the file says ${deviceId}`];
}

export async function provisionMany({ folder, port, runs }: Many): Promise<SoakResult> {
  const problems = new Set<string>();
  const samples: Sample[] = [];
  // One signal for all runs, as in a program that embeds the agent: forgotten listeners accumulate on it.
  const { signal } = new AbortController();
  setMaxListeners(IN_FLIGHT, signal);
  const held = (): number => getEventListeners(signal, 'abort').length + process.getActiveResourcesInfo().length;
  const onWarning = ({ message }: Error): void => void problems.add(`a warning: ${message}`);
  process.on('warning', onWarning);
  for (let done = 0; done < runs; done += WAVE) {
    const wave = Array.from({ length: Math.min(WAVE, runs - done) }, (_run, index) => done + index);
    const results = await inParallel(wave, IN_FLIGHT, (run) => provisionOne(join(folder, `${run}`), port, signal));
    for (const problem of results.flat()) problems.add(problem);
    samples.push(await takeSample(held));
  }
  process.off('warning', onWarning);
  return { runs, problems: [...problems, ...growthProblems(`${runs} provisionings`, samples)] };
}
