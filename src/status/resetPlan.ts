import { join } from 'node:path';
import { hasReached } from '../../machines/provision.states.ts';
import { MAX_CONFIG_BYTES, readThermalConfig } from '../config/thermal/thermalConfig.ts';
import { readLimited } from '../files/readLimited.ts';
import type { SnapshotDocument } from '../state/snapshotDocument.ts';
import type { DeviceFiles } from './deviceFiles.ts';
import { commandFor } from './nextSteps.ts';
import { onServer } from './onServer.ts';
import type { Problem } from './part.ts';

/** What `reset` does with the run of a device. */
export type ResetPlan =
  | { readonly kind: 'nothing'; readonly why: string }
  /** Giving up the run would lose a device that works, or leave an unusable configuration. */
  | { readonly kind: 'refused'; readonly why: string; readonly next: string }
  | {
      readonly kind: 'reset';
      /** Files to set aside, in this order. */
      readonly aside: readonly string[];
      /** What the operator must know before and after. */
      readonly consequences: readonly string[];
      /** Differs as soon as the run has changed its files. */
      readonly version: string;
    };

/**
 * Decides whether a run can be given up. `reset` leaves thermal_config.json as it is, so it is safe only while the file
 * is the old one. Later, the agent must finish the run or restore the backup.
 */
export async function planReset(files: DeviceFiles): Promise<ResetPlan> {
  const snapshot = files.snapshot.value ?? null;
  const blocked = firstProblem(files);
  if (blocked !== undefined) return { kind: 'refused', why: blocked.message, next: blocked.hint };
  const hasSnapshot = files.snapshot.value !== null;
  const hasCredentials = files.credentials.value !== null;
  if (!hasSnapshot && !hasCredentials) return { kind: 'nothing', why: 'No run is known in this folder' };
  if (snapshot?.state === 'provisioned' && !hasCredentials) {
    return { kind: 'nothing', why: 'The last run has succeeded, so there is nothing to give up' };
  }
  const why = isInUse(files) ? IN_USE : snapshot === null ? undefined : await whyNot(files, snapshot);
  if (why !== undefined) {
    return { kind: 'refused', why, next: `Let the agent finish the run: ${commandFor('run', files.paths)}` };
  }
  return {
    kind: 'reset',
    // credentials.json last: it is the authority, and a snapshot alone would be misleading.
    aside: [...(hasSnapshot ? [files.paths.snapshot] : []), ...(hasCredentials ? [files.paths.credentials] : [])],
    consequences: consequences(files),
    version: JSON.stringify([snapshot?.runId, snapshot?.seq, files.credentials.value]),
  };
}

/** An unreadable file may hold anything, so it blocks. A damaged or newer file does not: it is set aside unchanged. */
function firstProblem({ folder, snapshot, credentials, config }: DeviceFiles): Problem | undefined {
  const harmless = ['SNAPSHOT_DAMAGED', 'CREDENTIALS_DAMAGED', 'SNAPSHOT_NEWER', 'CREDENTIALS_NEWER'];
  const problems = [folder, snapshot, credentials].map(({ problem }) => problem);
  const serious = problems.find((problem) => problem !== undefined && !harmless.includes(problem.code));
  // Without the snapshot, only the configuration shows whether a run has changed it.
  return serious ?? (snapshot.problem === undefined ? undefined : config.problem);
}

const IN_USE =
  'thermal_config.json already holds the new credentials of this run, and they work. Only the last steps are left';

/** Whether thermal_config.json holds the token that the server issued to this run. */
const isInUse = ({ config, credentials }: DeviceFiles): boolean => {
  const granted = credentials.value?.fingerprint ?? null;
  return granted !== null && config.value?.fingerprint === granted;
};

async function whyNot(files: DeviceFiles, { state, runId, context }: SnapshotDocument): Promise<string | undefined> {
  if (state === 'provisioned') return 'The device is provisioned, only the clean-up is left';
  if (state === 'restore') {
    return 'Writing thermal_config.json failed, and its backup must still be restored';
  }
  const reachedWrite = context.backupName !== null;
  if (!reachedWrite && !hasReached('finalize', context)) return undefined;
  if (files.config.value?.runId === runId) return IN_USE;
  // A failed run has already restored the file or could not restore it. A reset loses nothing more.
  if (state !== 'write' || (await isWhole(files, context.backup))) return undefined;
  return "thermal_config.json can't be used, and the run must still repair it";
}

/** Whether the camera can load the configuration, or the configuration is the one from before the run. */
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
    'one device': `The unused device${named} stays on ${where}. Delete it there.`,
    'most likely none': `Probably nothing is left on ${where}. Look there for${named} and delete it if it exists.`,
    unknown: `An unused device${named} may be left on ${where}. Look there and delete it if it exists.`,
  }[kind];
  const same = `The run was for ${own ?? ''}, the device that the camera already uses. Do not delete it on ${where}.`;
  const foreign = files.credentials.value?.foreign === true;
  const board =
    'The run belongs to another board, which continues with its own copy. Do not delete its device on the server.';
  const trigger =
    typeof files.trigger.value === 'number'
      ? `provision.txt stays, so the next start begins a new run, with a new name unless provision.json fixes one. To prevent that, remove ${files.paths.provisionTxt}.`
      : 'provision.txt is not there, so the next start does nothing.';
  const camera = `thermal_config.json is not changed${own === null ? '' : `. The camera stays configured as ${own}`}.`;
  if (foreign) return [board, trigger, camera];
  return [own !== null && names.includes(own) ? same : left, trigger, camera];
}
