import { type LineFile, openLineFile } from '../files/appendLimited.ts';
import { folderOwner } from '../files/ownFiles.ts';

const MAX_EVENTS_BYTES = 256 * 1024;

/**
 * Opens events.jsonl for appending: the log of the last runs, for `status`, `explain` and `report`.
 * @throws Failure DISK_ERROR, FILE_NOT_PERMITTED when the folder around it can't be looked at
 */
export async function openEventsFile(path: string): Promise<LineFile> {
  return openLineFile(path, MAX_EVENTS_BYTES, { mode: 0o600, ...(await folderOwner(path)) });
}
