import { type Backup, listBackups } from '../../config/thermal/backups.ts';
import { requireDeviceFolder } from '../../device/folder.ts';
import type { DevicePaths } from '../../device/paths.ts';
import { EXIT } from '../../failures/exit.ts';
import { Failure } from '../../failures/failure.ts';
import type { FolderArguments } from '../options.ts';
import type { Printed } from './content.ts';
import { compareBackup } from './diff.ts';
import { listing } from './list.ts';
import { restoreBackup } from './restore.ts';

export type BackupsAction = 'list' | 'diff' | 'restore';

export interface BackupsArguments extends FolderArguments {
  readonly yes?: boolean;
  readonly format: 'text' | 'json';
}

/**
 * Runs one action of `backups` and prints its output.
 * @returns the exit status
 * @throws Failure USAGE, DEVICE_FOLDER_MISSING, CONFIG_*, LOCKED, DISK_*, FOLDER_NOT_WRITABLE, FILE_NOT_PERMITTED
 */
export async function runBackups(
  paths: DevicePaths,
  action: BackupsAction,
  number: number | undefined,
  options: Pick<BackupsArguments, 'yes' | 'format'>,
): Promise<number> {
  await requireDeviceFolder(paths.deviceFolder);
  const backups = await listBackups(paths.deviceFolder);
  const printed = await perform(paths, action, backups, number, options.yes === true);
  process.stdout.write(options.format === 'json' ? `${JSON.stringify(printed.json, null, 2)}\n` : printed.text);
  return EXIT.OK;
}

async function perform(
  paths: DevicePaths,
  action: BackupsAction,
  backups: readonly Backup[],
  number: number | undefined,
  yes: boolean,
): Promise<Printed> {
  if (action === 'list') {
    if (number === undefined) return listing(paths, backups, Date.now());
    throw new Failure('USAGE', 'backupNumberUnexpected', {});
  }
  const backup = chosen(action, backups, number, paths.deviceFolder);
  return action === 'diff' ? compareBackup(paths, backup) : restoreBackup(paths, backup, yes);
}

function chosen(action: BackupsAction, backups: readonly Backup[], number: number | undefined, folder: string): Backup {
  if (number === undefined) throw new Failure('USAGE', 'backupNumberMissing', { action, folder });
  const backup = backups[number - 1];
  if (backup !== undefined) return backup;
  throw new Failure('USAGE', 'noSuchBackup', { number, folder, count: backups.length });
}
