import { join } from 'node:path';
import { hasReached } from '../../machines/provision.states.ts';
import { MAX_CONFIG_BYTES, readThermalConfig } from '../config/thermal/thermalConfig.ts';
import { readLimited } from '../files/readLimited.ts';
import type { SnapshotDocument } from '../state/snapshotDocument.ts';
import { commandFor } from './command.ts';
import type { DeviceFiles } from './deviceFiles.ts';
import { onServer } from './onServer.ts';
import type { Problem } from './part.ts';

/** What giving up the run of a device means. */
export type ResetPlan =
  | { readonly kind: 'nothing'; readonly why: string }
  /** Giving up now would lose a device that works, or leave a configuration that does not. */
  | { readonly kind: 'refused'; readonly why: string; readonly next: string }
  | {
      readonly kind: 'reset';
      /** Files that are moved out of the way, in this order. */
      readonly aside: readonly string[];
      /** What the operator has to know before and after. */
      readonly consequences: readonly string[];
      /** Changes whenever the run has gone on meanwhile. */
      readonly version: string;
    };

/**
 * Decides whether a run can be given up, which leaves thermal_config.json as it stands. That is safe while the file is
 * the old one. Once it is the new one the camera needs only the end of the run; and what `restore` was to put back is
 * the agent’s to put back.
 */
export async function planReset(files: DeviceFiles): Promise<ResetPlan> {
  const snapshot = files.snapshot.value ?? null;
  const blocked = firstProblem(files);
  if (blocked !== undefined) return { kind: 'refused', why: blocked.message, next: blocked.hint };
  const hasSnapshot = files.snapshot.value !== null;
  const hasCredentials = files.credentials.value !== null;
  if (!hasSnapshot && !hasCredentials) return { kind: 'nothing', why: 'No run is known here' };
  if (snapshot?.state === 'provisioned' && !hasCredentials) {
    return { kind: 'nothing', why: 'The last run has ended well, so there is nothing to give up' };
  }
  const why = isInUse(files) ? IN_USE : snapshot === null ? undefined : await whyNot(files, snapshot);
  if (why !== undefined) {
    return { kind: 'refused', why, next: `Let the agent bring the run to its end: ${commandFor('run', files.paths)}` };
  }
  return {
    kind: 'reset',
    // credentials.json last: it is the authority, and a snapshot without it would be the worse half.
    aside: [...(hasSnapshot ? [files.paths.snapshot] : []), ...(hasCredentials ? [files.paths.credentials] : [])],
    consequences: consequences(files),
    version: JSON.stringify([snapshot?.runId, snapshot?.seq, files.credentials.value]),
  };
}

/** A file that can’t be read may hold anything; a damaged or newer one is kept whole when it is set aside. */
function firstProblem({ folder, snapshot, credentials, config }: DeviceFiles): Problem | undefined {
  const harmless = ['SNAPSHOT_DAMAGED', 'CREDENTIALS_DAMAGED', 'SNAPSHOT_NEWER', 'CREDENTIALS_NEWER'];
  const problems = [folder, snapshot, credentials].map(({ problem }) => problem);
  const serious = problems.find((problem) => problem !== undefined && !harmless.includes(problem.code));
  // Without the snapshot nothing but the configuration itself tells whether a run had come to change it.
  return serious ?? (snapshot.problem === undefined ? undefined : config.problem);
}

const IN_USE = 'thermal_config.json holds the credentials of this run already, and they work; only the end is left';

/** Whether the camera works with the very token that the run was granted. */
const isInUse = ({ config, credentials }: DeviceFiles): boolean => {
  const granted = credentials.value?.fingerprint ?? null;
  return granted !== null && config.value?.fingerprint === granted;
};

async function whyNot(files: DeviceFiles, { state, runId, context }: SnapshotDocument): Promise<string | undefined> {
  if (state === 'provisioned') return 'The device is provisioned; only the last clean-up is left';
  if (state === 'restore') {
    return 'thermal_config.json could not be written as a whole, and its backup has still to be put back';
  }
  const reachedWrite = context.backupName !== null;
  if (!reachedWrite && !hasReached('finalize', context)) return undefined;
  if (files.config.value?.runId === runId) return IN_USE;
  // A failed run has put back what it had spoilt, or could not; either way nothing more can be lost here.
  if (state !== 'write' || (await isWhole(files, context.backup))) return undefined;
  return 'thermal_config.json can’t be used, and the run has still to put it right';
}

/** Whether the configuration is one that the camera can load, or the very one of before. */
async function isWhole({ paths, config }: DeviceFiles, backup: string | null): Promise<boolean> {
  if (config.problem !== undefined) return false;
  if (config.value === null) return backup === null;
  if (config.value?.problems.length === 0) return true;
  if (backup === null) return false;
  const { bytes } = await readThermalConfig(paths.deviceFolder, 'read');
  const copy = await readLimited(join(paths.deviceFolder, backup), MAX_CONFIG_BYTES, false);
  return bytes !== undefined && copy.ok && copy.bytes.equals(bytes);
}

function consequences(files: DeviceFiles): string[] {
  const { kind, names, server, why } = onServer(files);
  const where = server ?? 'the server';
  const named = names.length === 0 ? '' : ` ${names.join(' and ')}`;
  const own = files.config.value?.deviceId ?? null;
  const left = {
    'no device': `Nothing is left on ${where}: ${why}.`,
    'one device': `The device${named} stays on ${where}, used by nobody: delete it there.`,
    'most likely none': `Most likely nothing is left on ${where}; look there for${named}, and delete it if it exists.`,
    unknown: `A device${named} may be left on ${where}, used by nobody: look there, and delete it if it exists.`,
  }[kind];
  const same = `The run was for ${own ?? ''}, the device that the camera is already: delete nothing of it on ${where}.`;
  const foreign = files.credentials.value?.foreign === true;
  const board = 'The run belongs to another board, which goes on with its own copy: delete nothing of it.';
  const trigger =
    typeof files.trigger.value === 'number'
      ? `provision.txt stays: the next start begins a new run, with a new name unless provision.json fixes one. To prevent that remove ${files.paths.provisionTxt}.`
      : 'provision.txt is not there: nothing happens until somebody puts it there.';
  const camera = `thermal_config.json is not touched${own === null ? '' : `: the camera works as ${own}`}.`;
  if (foreign) return [board, trigger, camera];
  return [own !== null && names.includes(own) ? same : left, trigger, camera];
}
