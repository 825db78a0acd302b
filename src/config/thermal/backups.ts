import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../../failures/failure.ts';
import { fileFailure } from '../../failures/fileFailure.ts';
import { durableRemove, durableRename, temporaryPath } from '../../files/durable.ts';
import { tightenMode, writeOwnFile } from '../../files/ownFiles.ts';
import { type ReadProblem, readLimited } from '../../files/readLimited.ts';
import type { JsonObject } from '../json/strictJson.ts';
import { MAX_EDIT_BYTES, type Repair, readEditableConfig, repairOf } from './configText.ts';

// Backups are in the device folder even when thermal_config.json is a link to another folder: operators look there, and
// the target's folder may belong to another program.

const PREFIX = 'thermal_config.json.backup.';
const STAMP = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2}\.\d{3})Z$/;
/** The stamps of the client that this agent replaces: local time, or the time since the epoch in s or ms. */
const FORMER_STAMP = /^(\d{4})(\d{2})(\d{2})_(\d{2})(\d{2})(\d{2})$/;
const FORMER_SECONDS = /^[1-9]\d{9}$/;
const FORMER_MILLISECONDS = /^[1-9]\d{12}$/;
/** The last millisecond of the year 9999: a backup's name has a year of four digits. */
const MAX_TIME = 253_402_300_799_999;

/** One backup of thermal_config.json. */
export interface Backup {
  readonly name: string;
  readonly path: string;
  /** Milliseconds since the epoch, from the name. */
  readonly time: number;
  /** Whether the former client made it. The agent never removes such a backup. */
  readonly former: boolean;
  /** Bytes. */
  readonly size: number;
}

/** UTC in the basic format of ISO 8601, e.g. `20261123T101530.123Z`. These stamps sort by time. */
export function backupStamp(ms: number): string {
  const time = Math.min(Math.max(Math.trunc(ms), 0), MAX_TIME);
  return new Date(time).toISOString().replaceAll(/[-:]/g, '');
}

/** The time in the name of one of the agent's own backups, in ms since the epoch; undefined for any other name. */
export function parseBackupName(name: string): number | undefined {
  if (!name.startsWith(PREFIX)) return undefined;
  const stamp = name.slice(PREFIX.length);
  const time = Date.parse(stamp.replace(STAMP, '$1-$2-$3T$4:$5:$6Z'));
  // The comparison refuses other formats and dates that Date.parse accepts, such as 30 February.
  return Number.isFinite(time) && backupStamp(time) === stamp ? time : undefined;
}

/**
 * The time in the name of a backup of the former client, in ms since the epoch; undefined for any other name. Local time
 * is taken in the time zone that the device has now.
 */
export function parseFormerBackupName(name: string): number | undefined {
  if (!name.startsWith(PREFIX)) return undefined;
  const stamp = name.slice(PREFIX.length);
  if (FORMER_SECONDS.test(stamp)) return Number(stamp) * 1000;
  if (FORMER_MILLISECONDS.test(stamp)) return Number(stamp);
  if (!FORMER_STAMP.test(stamp)) return undefined;
  // Date.parse accepts dates such as 30 February.
  const isDate = parseBackupName(`${PREFIX}${stamp.replace('_', 'T')}.000Z`) !== undefined;
  return isDate ? Date.parse(stamp.replace(FORMER_STAMP, '$1-$2-$3T$4:$5:$6')) : undefined;
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
 * The backups in a folder, newest first, with those of the former client. Other names, unfinished copies, links and folders are left out.
 * @throws Failure DISK_ERROR, FILE_NOT_PERMITTED
 */
export async function listBackups(folder: string): Promise<readonly Backup[]> {
  const backups: Backup[] = [];
  for (const name of await entriesOf(folder)) {
    const own = parseBackupName(name);
    const time = own ?? parseFormerBackupName(name);
    if (time === undefined) continue;
    const path = join(folder, name);
    // A file that was removed a moment ago can't be used as a backup.
    const stats = await lstat(path).catch(() => undefined);
    if (stats !== undefined) backups.push({ name, path, time, former: own === undefined, size: stats.size });
  }
  return backups.sort((a, b) => b.time - a.time || (a.name < b.name ? 1 : -1));
}

const WHY_UNREADABLE: Readonly<Record<ReadProblem, string>> = {
  absent: 'it was removed a moment ago',
  'not-a-file': 'it is not a plain file',
  'too-large': `it is larger than ${MAX_EDIT_BYTES} bytes`,
  'not-permitted': 'no permission to read it',
  unreadable: 'it could not be read',
};

/** The content of a backup. `usable`: it can be edited like thermal_config.json; otherwise `why` gives the reason. */
export type BackupContent =
  | {
      readonly usable: true;
      readonly bytes: Buffer;
      readonly value: JsonObject;
      /** Set if the camera can load the backup only in a repaired form. */
      readonly repair: Repair | undefined;
    }
  | { readonly usable: false; readonly bytes: Buffer | undefined; readonly why: string };

/** Reads a backup. Never throws, because the other backups can still be used. */
export async function readBackup(path: string): Promise<BackupContent> {
  const read = await readLimited(path, MAX_EDIT_BYTES, false);
  if (!read.ok) return { usable: false, bytes: undefined, why: WHY_UNREADABLE[read.problem] };
  const { bytes } = read;
  const json = readEditableConfig(bytes);
  if (!json.ok) return { usable: false, bytes, why: `it ${json.problem}` };
  return { usable: true, bytes, value: json.value, repair: repairOf(json) };
}

/**
 * The name for the next backup. It is later than the newest one even if the clock went back, so the order stays right.
 * @param now milliseconds since the epoch
 * @param newest the time of the newest backup
 */
export function nextBackupName(now: number, newest: number | undefined): string {
  return PREFIX + backupStamp(Math.max(now, (newest ?? -1) + 1));
}

/**
 * Whether a file holds exactly these bytes and is private (no access for group and others).
 * @param own whether this run may have made the file. On a file system without modes it is not private
 */
async function holds(path: string, bytes: Uint8Array, own: boolean): Promise<boolean> {
  const read = await readLimited(path, bytes.byteLength, false);
  if (!read.ok || !read.bytes.equals(bytes)) return false;
  if ((read.mode & 0o077) !== 0 && own) await tightenMode(path);
  return own || (read.mode & 0o077) === 0;
}

/** The name of an own backup that already holds the bytes: the one with this name, or the newest. */
async function existingCopy(folder: string, name: string, bytes: Uint8Array): Promise<string | undefined> {
  const own = (await listBackups(folder)).filter(({ former }) => !former);
  for (const candidate of [name, ...own.slice(0, 1).map((newest) => newest.name)]) {
    if (await holds(join(folder, candidate), bytes, candidate === name)) return candidate;
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
 * Makes a durable byte-for-byte copy of thermal_config.json (mode 0600), unless the newest backup is already equal.
 * @param name from `nextBackupName`, chosen beforehand, so that a resumed run makes the same file
 * @returns the name of the backup that holds the bytes, and whether it was made now
 * @throws Failure CONFIG_KEEPS_CHANGING when something else has this name; DISK_FULL, DISK_ERROR,
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
    // changes nothing (rename(2)), but it repeats that fsync.
    await durableRename(join(folder, existing), join(folder, existing));
    return { name: existing, made: false };
  }
  const path = join(folder, name);
  await requireFree(path);
  await writeOwnFile(path, bytes);
  return { name, made: true };
}

/**
 * Removes all own backups except the newest ones, and the temporary files of unfinished copies.
 * @param keep how many backups stay
 * @returns the names of the removed files
 * @throws Failure DISK_ERROR, FOLDER_NOT_WRITABLE, FILE_NOT_PERMITTED
 */
export async function pruneBackups(folder: string, keep: number): Promise<readonly string[]> {
  const suffix = temporaryPath('');
  const unfinished = (await entriesOf(folder)).filter(
    (name) => name.endsWith(suffix) && parseBackupName(name.slice(0, -suffix.length)) !== undefined,
  );
  const own = (await listBackups(folder)).filter(({ former }) => !former);
  const outdated = own.slice(keep).map(({ name }) => name);
  const removed = [...unfinished, ...outdated];
  for (const name of removed) await durableRemove(join(folder, name));
  return removed;
}
