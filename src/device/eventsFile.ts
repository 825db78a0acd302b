import { type LineFile, openLineFile } from '../files/appendLimited.ts';
import { folderOwner } from '../files/ownFiles.ts';

const MAX_EVENTS_BYTES = 256 * 1024;

/**
 * Opens events.jsonl for appending. It holds the log of the latest runs, for `status`, `explain` and `report`.
 * @throws Failure DISK_ERROR, FILE_NOT_PERMITTED when its folder can't be read
 */
export async function openEventsFile(path: string): Promise<LineFile> {
  return openLineFile(path, MAX_EVENTS_BYTES, { mode: 0o600, ...(await folderOwner(path)) });
}
