/**
 * Two misfortunes: the agent is killed between a change of a folder's entries and the fsync that makes it durable, the
 * next start finds the change and takes it as done, and then the power is lost.
 */

import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { devicePaths } from '../../../src/device/paths.ts';
import { configuredDevice } from '../../support/provisionedDevice.ts';
import { layOut, readIfThere, setWorld, type World } from './powerLossBoot.ts';
import { copyDisk, currentFiles, currentFolders, type DiskFolder } from './powerLossDisk.ts';
import type { Course } from './powerLossPoints.ts';
import type { RunFacts, Told } from './powerLossPromises.ts';
import { SLOW_ANSWER_MS, type TracedRun } from './powerLossScenario.ts';
import { traceAgent } from './powerLossTrace.ts';

/** Where a run is killed: the disk as it is then, and what is known. */
export interface KillPoint {
  readonly label: string;
  readonly disk: DiskFolder;
  readonly told: readonly Told[];
  readonly world: World;
}

export function killPoint(label: string, disk: DiskFolder, told: readonly Told[], worlds: readonly World[]): KillPoint {
  return { label, disk: copyDisk(disk), told, world: worlds.includes('registered') ? 'registered' : 'unregistered' };
}

/** As the first run's: a state that is saved late is saved in every trace. */
function slowAnswers({ server }: TracedRun): void {
  const { attributeRequests } = server.registry.counts;
  for (const nth of [attributeRequests + 1, attributeRequests + 2]) {
    server.addFault({ on: 'attributeRequest', nth, action: 'delay', ms: SLOW_ANSWER_MS });
  }
}

/**
 * Starts the agent again after it was killed there, and traces it.
 * @returns its calls on the disk that the killed run has left; or why it did not end well
 */
export async function resumeAfter(
  point: KillPoint,
  run: TracedRun,
  facts: RunFacts,
  options: { readonly agent: string; readonly scratch: string },
): Promise<Course | string> {
  const folder = await mkdtemp(join(options.scratch, 'resumed-'));
  const disk = copyDisk(point.disk);
  await layOut({ files: currentFiles(disk), folders: currentFolders(disk) }, folder);
  setWorld(run.server, point.world, facts);
  slowAnswers(run);
  const { calls, ending } = await traceAgent({ agent: options.agent, folder, output: `${folder}.strace` });
  const paths = devicePaths(folder);
  const configured = await configuredDevice(paths).catch(() => undefined);
  const config = await readIfThere(paths.thermalConfig);
  const label = `${point.label}, resumed`;
  if (ending.status !== 0 || configured === undefined || config === undefined) {
    return `${label}: the start after it ended with ${ending.status}`;
  }
  const resumed = { ...facts, deviceName: configured.deviceId, token: configured.token };
  const configsAfter = [...facts.configsAfter, config];
  const worlds = [point.world];
  return {
    label,
    folder,
    disk,
    calls,
    facts: { ...resumed, configsAfter },
    told: point.told,
    worlds,
    bootMostLost: true,
  };
}
