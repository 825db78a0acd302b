import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../../failures/failure.ts';
import { fileFailure } from '../../failures/fileFailure.ts';
import { durableRemove, durableRename, temporaryPath } from '../../files/durable.ts';
import { writeOwnFile } from '../../files/ownFiles.ts';
import { type ReadProblem, readLimited } from '../../files/readLimited.ts';
import type { JsonObject } from '../json/strictJson.ts';
import { MAX_EDIT_BYTES, readEditableConfig } from './configText.ts';

// Backups lie in the device folder, also when thermal_config.json there is a link to somewhere else: that is where an
// operator looks, and the folder of the link's target may belong to another program.

const PREFIX = 'thermal_config.json.backup.';
const STAMP = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2}\.\d{3})Z$/;
/** The last instant with a year of four digits. */
const MAX_TIME = 253_402_300_799_999;

/** One backup of thermal_config.json. */
export interface Backup {
  readonly name: string;
  readonly path: string;
  /** Milliseconds since the epoch, from the name. */
  readonly time: number;
  /** Bytes. */
  readonly size: number;
}

/** UTC in the basic format of ISO 8601, which sorts by time: `20261123T101530.123Z`. */
export function backupStamp(ms: number): string {
  const time = Math.min(Math.max(Math.trunc(ms), 0), MAX_TIME);
  return new Date(time).toISOString().replaceAll(/[-:]/g, '');
}

/** The time in a backup's name, in milliseconds since the epoch; undefined for any other name. */
export function parseBackupName(name: string): number | undefined {
  if (!name.startsWith(PREFIX)) return undefined;
  const stamp = name.slice(PREFIX.length);
  const time = Date.parse(stamp.replace(STAMP, '$1-$2-$3T$4:$5:$6Z'));
  // Refuses what Date.parse takes too: other formats, 30 February.
  return Number.isFinite(time) && backupStamp(time) === stamp ? time : undefined;
}

async function entriesOf(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
  } catch (error) {
    throw fileFailure(error, `list the folder ${folder}`);
  }
}

/**
 * The backups in a folder, newest first. Other names, unfinished copies, links and folders are not among them.
 * @throws Failure DISK_ERROR, FILE_NOT_PERMITTED
 */
export async function listBackups(folder: string): Promise<readonly Backup[]> {
  const backups: Backup[] = [];
  for (const name of await entriesOf(folder)) {
    const time = parseBackupName(name);
    if (time === undefined) continue;
    const path = join(folder, name);
    // What can't be looked at (removed a moment ago) can't be used as a backup either.
    const stats = await lstat(path).catch(() => undefined);
    if (stats !== undefined) backups.push({ name, path, time, size: stats.size });
  }
  return backups.sort((a, b) => b.time - a.time);
}

const WHY_UNREADABLE: Readonly<Record<ReadProblem, string>> = {
  absent: 'it was removed a moment ago',
  'not-a-file': 'it is not a plain file',
  'too-large': `it is larger than ${MAX_EDIT_BYTES} bytes`,
  'not-permitted': 'no permission to read it',
  unreadable: 'it could not be read',
};

/** What a backup holds: `usable` like a thermal_config.json that can be edited; else `why` goes on after “: ”. */
export type BackupContent =
  | { readonly usable: true; readonly bytes: Buffer; readonly value: JsonObject }
  | { readonly usable: false; readonly bytes: Buffer | undefined; readonly why: string };

/** Reads a backup; never throws, because one that can't be read leaves the others. */
export async function readBackup(path: string): Promise<BackupContent> {
  const read = await readLimited(path, MAX_EDIT_BYTES, false);
  if (!read.ok) return { usable: false, bytes: undefined, why: WHY_UNREADABLE[read.problem] };
  const { bytes } = read;
  const json = readEditableConfig(bytes);
  return json.ok ? { usable: true, bytes, value: json.value } : { usable: false, bytes, why: `it ${json.problem}` };
}

/**
 * The name for the next backup: later than the newest one also when the clock went back, so that the order stays.
 * @param now milliseconds since the epoch
 * @param newest the time of the newest backup
 */
export function nextBackupName(now: number, newest: number | undefined): string {
  return PREFIX + backupStamp(Math.max(now, (newest ?? -1) + 1));
}

/** Whether a file is a private copy of these bytes. */
async function holds(path: string, bytes: Uint8Array): Promise<boolean> {
  const read = await readLimited(path, bytes.byteLength, false);
  return read.ok && (read.mode & 0o077) === 0 && read.bytes.equals(bytes);
}

/** The name of a backup that holds the bytes already: the one of that name, or the newest. */
async function existingCopy(folder: string, name: string, bytes: Uint8Array): Promise<string | undefined> {
  const backups = await listBackups(folder);
  for (const candidate of [name, ...backups.slice(0, 1).map((newest) => newest.name)]) {
    if (await holds(join(folder, candidate), bytes)) return candidate;
  }
  return undefined;
}

async function requireFree(path: string): Promise<void> {
  const read = await readLimited(path, 0, false);
  if (!read.ok && read.problem === 'absent') return;
  if (!read.ok && read.problem === 'unreadable') throw fileFailure(read.cause, `read ${path}`);
  throw new Failure('CONFIG_KEEPS_CHANGING', 'backupNameTaken', { path });
}

/**
 * Keeps a byte-for-byte copy of thermal_config.json (mode 0600), durably. A copy that the newest backup is already is
 * not made again.
 * @param name from `nextBackupName`, fixed before, so that a resumed run makes the same file
 * @returns the name of the backup that holds the bytes, and whether it was made now
 * @throws Failure CONFIG_KEEPS_CHANGING when that name is taken by something else; DISK_FULL, DISK_ERROR,
 * FOLDER_NOT_WRITABLE, FILE_NOT_PERMITTED
 */
export async function makeBackup(
  folder: string,
  name: string,
  bytes: Uint8Array,
): Promise<{ readonly name: string; readonly made: boolean }> {
  const existing = await existingCopy(folder, name, bytes);
  if (existing !== undefined) {
    // An earlier run may have been killed between the rename and the fsync of the folder. Renaming a file to itself
    // changes nothing (rename(2)), so this is that fsync.
    await durableRename(join(folder, existing), join(folder, existing));
    return { name: existing, made: false };
  }
  const path = join(folder, name);
  await requireFree(path);
  await writeOwnFile(path, bytes);
  return { name, made: true };
}

/**
 * Removes all backups but the newest ones, and what copies that failed halfway left behind.
 * @param keep how many stay
 * @returns the names of the removed files
 * @throws Failure DISK_ERROR, FOLDER_NOT_WRITABLE, FILE_NOT_PERMITTED
 */
export async function pruneBackups(folder: string, keep: number): Promise<readonly string[]> {
  const suffix = temporaryPath('');
  const halfway = (await entriesOf(folder)).filter(
    (name) => name.endsWith(suffix) && parseBackupName(name.slice(0, -suffix.length)) !== undefined,
  );
  const outdated = (await listBackups(folder)).slice(keep).map(({ name }) => name);
  const removed = [...halfway, ...outdated];
  for (const name of removed) await durableRemove(join(folder, name));
  return removed;
}
