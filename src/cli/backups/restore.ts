import { hasReached, isFinalState } from '../../../machines/provision.states.ts';
import { type Backup, listBackups, makeBackup, nextBackupName, readBackup } from '../../config/thermal/backups.ts';
import { replacementAttributes, requireReplaceable } from '../../config/thermal/replacement.ts';
import { readThermalConfig, THERMAL_CONFIG, type ThermalConfigFile } from '../../config/thermal/thermalConfig.ts';
import { acquireLock, lockHolder } from '../../device/lock.ts';
import type { DevicePaths } from '../../device/paths.ts';
import { Failure } from '../../failures/failure.ts';
import { durableReplace, makeEntriesDurable } from '../../files/durable.ts';
import { fileExists } from '../../files/fileExists.ts';
import { readMountTable } from '../../files/mountTable.ts';
import { ensurePrivateFolder } from '../../files/ownFiles.ts';
import { readSnapshot } from '../../state/snapshotFile.ts';
import { askYes } from '../terminal/askYes.ts';
import { printable } from '../terminal/paint.ts';
import { type Printed, thingsboardText } from './content.ts';
import { unusableBackup } from './diff.ts';

/**
 * A run in finalize would remove credentials.json, the last copy of the token, although the file no longer holds the new
 * credentials. A run in restore would overwrite the restored file with its own backup.
 */
async function requireNoRunInTheFile({ credentials, deviceFolder, snapshot }: DevicePaths): Promise<void> {
  if (!(await fileExists(credentials))) return;
  const read = await readSnapshot(snapshot);
  if (read.kind !== 'snapshot' || isFinalState(read.snapshot.state)) return;
  const { state, context } = read.snapshot;
  if (state !== 'restore' && !hasReached('finalize', context)) return;
  throw new Failure('LOCKED', 'unfinishedRun', { file: THERMAL_CONFIG, state, folder: deviceFolder });
}

/**
 * Restores a backup, repaired if the camera could not parse it. The current file becomes a backup first. Then it is replaced durably, with its owner and mode, and
 * with the same rules for links as in a run.
 * @param yes restores without asking
 * @throws Failure USAGE (no terminal), LOCKED (also by an unfinished run), CONFIG_INVALID (the backup can't be used),
 * SNAPSHOT_NEWER, CONFIG_*, DISK_*, FOLDER_NOT_WRITABLE, FILE_NOT_PERMITTED
 */
export async function restoreBackup(paths: DevicePaths, backup: Backup, yes: boolean): Promise<Printed> {
  const content = await readBackup(backup.path);
  if (!content.usable) throw unusableBackup(backup, content.why);
  const device = thingsboardText(content.value, 'device_id') ?? 'no device';
  // Before the question: while an agent is running, the answer does not matter.
  const holder = await lockHolder(paths.deviceFolder, paths.stateFolder);
  if (holder !== undefined) throw new Failure('LOCKED', 'byProcess', { folder: paths.deviceFolder, pid: holder });
  await requireNoRunInTheFile(paths);
  const question = `Replace ${paths.thermalConfig} with ${backup.name} (${device})? The current file is backed up first.`;
  if (!yes && !(await askYes(printable(question)))) {
    return { text: 'Nothing was changed.\n', json: { keptAs: null, restored: null } };
  }
  await ensurePrivateFolder(paths.stateFolder);
  const lock = await acquireLock(paths.deviceFolder, paths.stateFolder);
  try {
    await requireNoRunInTheFile(paths);
    const { file, keptAs } = await putBack(paths, content.repair?.bytes ?? content.bytes);
    const repaired = content.repair?.problem;
    return report(paths, { backup, device, file, keptAs, repaired, unfinished: await willBeReplaced(paths) });
  } finally {
    await lock.release();
  }
}

interface Restored {
  readonly file: string;
  /** Null: there was no file. */
  readonly keptAs: string | null;
}

/** @throws Failure CONFIG_KEEPS_CHANGING if another program changes the file at the same time; CONFIG_NOT_WRITTEN */
async function putBack({ deviceFolder }: DevicePaths, bytes: Buffer): Promise<Restored> {
  await makeEntriesDurable(deviceFolder);
  const current = await readThermalConfig(deviceFolder);
  await requireReplaceable(current, await readMountTable());
  const keptAs = await keep(deviceFolder, current);
  const now = await readThermalConfig(deviceFolder);
  if (now.path !== current.path || !isSame(now.bytes, current.bytes)) {
    throw new Failure('CONFIG_KEEPS_CHANGING', 'duringRestore', { path: current.path });
  }
  await durableReplace(current.path, bytes, await replacementAttributes(current));
  const written = await readThermalConfig(deviceFolder);
  if (isSame(written.bytes, bytes)) return { file: current.path, keptAs };
  if (keptAs === null) throw new Failure('CONFIG_NOT_WRITTEN', 'notCreated', { path: current.path });
  throw new Failure('CONFIG_NOT_WRITTEN', 'notRestored', { path: current.path, backup: keptAs });
}

const isSame = (one: Buffer | undefined, other: Buffer | undefined): boolean =>
  one === undefined || other === undefined ? one === other : one.equals(other);

async function keep(folder: string, { bytes }: ThermalConfigFile): Promise<string | null> {
  if (bytes === undefined) return null;
  const [newest] = await listBackups(folder);
  return (await makeBackup(folder, nextBackupName(Date.now(), newest?.time), bytes)).name;
}

/** Whether the next run would write new credentials into the restored file. */
const willBeReplaced = async ({ provisionTxt, credentials }: DevicePaths): Promise<boolean> =>
  (await fileExists(provisionTxt)) || (await fileExists(credentials));

function report(
  { deviceFolder }: DevicePaths,
  done: Restored & {
    readonly backup: Backup;
    readonly device: string;
    /** What was wrong with the backup before its repair. */
    readonly repaired: string | undefined;
    readonly unfinished: boolean;
  },
): Printed {
  const { backup, device, file, keptAs, repaired, unfinished } = done;
  const lines = [
    `Restored ${backup.name} (${device}) to ${file}.`,
    ...(repaired === undefined ? [] : [`The backup ${repaired}. It was repaired: all settings are restored.`]),
    keptAs === null ? 'There was no file before.' : `The previous file is kept as ${keptAs}.`,
    ...(unfinished
      ? ['Provisioning is requested or unfinished, so the next run writes new credentials into the file.']
      : []),
    "Next: restart the camera's client to load the file.",
    `Check it with: thermal-provision status --dir ${deviceFolder}`,
  ];
  return {
    text: `${printable(lines.join('\n'))}\n`,
    json: {
      deviceId: device,
      file,
      keptAs,
      repaired: repaired !== undefined,
      restored: backup.name,
      willBeReplaced: unfinished,
    },
  };
}
