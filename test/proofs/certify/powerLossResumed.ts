/**
 * Two faults in a row: the agent is killed between a change of a folder's entries and its fsync, the next start finds
 * the change and treats it as done, and then the power fails.
 */

import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { devicePaths } from '../../../src/device/paths.ts';
import { filesOf, loginInConfig } from '../../support/storedLogin.ts';
import { layOut, readIfThere, setWorld, type World } from './powerLossBoot.ts';
import { copyDisk, currentFiles, currentFolders, type DiskFolder } from './powerLossDisk.ts';
import type { Course } from './powerLossPoints.ts';
import type { RunFacts, Told } from './powerLossPromises.ts';
import { SLOW_ANSWER_MS, type TracedRun } from './powerLossScenario.ts';
import { traceAgent } from './powerLossTrace.ts';

/** A place where a run is killed: the disk and the told facts at that moment. */
export interface KillPoint {
  readonly label: string;
  readonly disk: DiskFolder;
  readonly told: readonly Told[];
  readonly world: World;
}

export function killPoint(label: string, disk: DiskFolder, told: readonly Told[], worlds: readonly World[]): KillPoint {
  return { label, disk: copyDisk(disk), told, world: worlds.includes('registered') ? 'registered' : 'unregistered' };
}

/** The same delays as in the first run, so that a state with a late save is saved in every trace. */
function slowAnswers({ server }: TracedRun): void {
  const { attributeRequests } = server.registry.counts;
  for (const nth of [attributeRequests + 1, attributeRequests + 2]) {
    server.addFault({ on: 'attributeRequest', nth, action: 'delay', ms: SLOW_ANSWER_MS });
  }
}

/**
 * Starts the agent again after a kill, and traces it.
 * @returns the calls on the disk of the killed run, or why the run failed
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
  const config = await readIfThere(paths.thermalConfig);
  const login = config && loginInConfig(config, filesOf(folder));
  const label = `${point.label}, resumed`;
  if (ending.status !== 0 || login === undefined || config === undefined) {
    return `${label}: the start after it ended with ${ending.status}`;
  }
  const resumed = { ...facts, login };
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
