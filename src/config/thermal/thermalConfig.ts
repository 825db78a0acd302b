import { lstat, readlink, realpath, stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join } from 'node:path';
import { Failure } from '../../failures/failure.ts';
import { fileFailure, isENOENT } from '../../failures/fileFailure.ts';
import { readLimited } from '../../files/readLimited.ts';
import { cameraProblems } from './cameraRules.ts';
import { type Repair, readEditableConfig, repairOf } from './configText.ts';

export const THERMAL_CONFIG = 'thermal_config.json';
export const MAX_CONFIG_BYTES = 16 * 1024 * 1024;
/** As many links in a row as Linux follows (path_resolution(7)). */
const MAX_LINKS = 40;

/** The thermal_config.json on the disk. */
export interface ThermalConfigFile {
  /** Path of the existing file, or of the file to be created. Symbolic links are resolved. */
  readonly path: string;
  readonly exists: boolean;
  readonly bytes: Buffer | undefined;
  /** Permission bits of the existing file; 0o600 for a new one. */
  readonly mode: number;
  /** Owner of the existing file; -1 for a new one: chown(2) then changes nothing. */
  readonly uid: number;
  readonly gid: number;
  /** Whether the file can be edited: it is JSON within the limits, also after a repair, with sections of right types. */
  readonly usable: boolean;
  /** Set if the file is usable only in a repaired form. */
  readonly repair?: Repair | undefined;
  /** The rules of the camera that the file already breaks. */
  readonly problems: readonly string[];
}

/** A warning for each rule of the camera that the configuration breaks. */
export const configWarnings = (problems: readonly string[]): string[] =>
  problems.map((problem) => `${THERMAL_CONFIG}: ${problem}`);

const WHY_UNREADABLE = {
  'not-a-file': 'it is not a plain file',
  'not-permitted': 'permission denied',
} as const;

function unreadable(path: string, why: string, cause?: unknown): Failure {
  return new Failure('CONFIG_UNREADABLE', 'file', { path, why }, cause);
}

/** Another user's link could make the agent, which may be root, replace any file. */
async function requireTrustedLink(link: string, uid: number): Promise<void> {
  const folder = await stat(dirname(link));
  if (uid === 0 || uid === folder.uid) return;
  throw new Failure('CONFIG_LINK_UNTRUSTED', 'foreignLink', { path: link, uid });
}

/** Follows each link itself, because each must be trusted and the last target may not exist yet. */
async function resolveLinks(start: string): Promise<{ readonly path: string; readonly readOnly: boolean }> {
  let path = join(await realpath(dirname(start)), basename(start));
  for (let links = 0; links <= MAX_LINKS; links++) {
    const stats = await lstat(path).catch((error: unknown) => {
      if (isENOENT(error)) return undefined;
      throw error;
    });
    if (stats === undefined) return { path, readOnly: false };
    if (!stats.isSymbolicLink()) return { path, readOnly: stats.isFile() && (stats.mode & 0o200) === 0 };
    await requireTrustedLink(path, stats.uid);
    const target = await readlink(path);
    // path.join would remove `a/..`, which is wrong when `a` is a link.
    const next = isAbsolute(target) ? target : `${dirname(path)}/${target}`;
    path = join(await realpath(dirname(next)), basename(next));
  }
  throw unreadable(start, `more than ${MAX_LINKS} symbolic links in a row`);
}

async function locate(deviceFolder: string, purpose: 'replace' | 'read'): Promise<string> {
  const start = join(deviceFolder, THERMAL_CONFIG);
  const { path, readOnly } = await resolveLinks(start).catch((error: unknown) => {
    throw error instanceof Failure
      ? error
      : unreadable(start, "its folder or the folder of its link's target can't be reached", error);
  });
  if (!readOnly || purpose === 'read') return path;
  throw new Failure('CONFIG_READ_ONLY', 'noWriteBit', { path });
}

/**
 * Reads thermal_config.json and follows symbolic links. A link to a missing file in an existing folder counts as a
 * missing file at the link's target. The mode bits decide about write permission, because root passes access checks.
 * @param purpose `read` is for normal operation: a file without write bits is accepted
 * @throws Failure CONFIG_UNREADABLE, CONFIG_TOO_LARGE (above 16 MiB), CONFIG_LINK_UNTRUSTED, CONFIG_READ_ONLY
 */
export async function readThermalConfig(
  deviceFolder: string,
  purpose: 'replace' | 'read' = 'replace',
): Promise<ThermalConfigFile> {
  const path = await locate(deviceFolder, purpose);
  const read = await readLimited(path, MAX_CONFIG_BYTES, false);
  if (read.ok) {
    const { bytes, mode, uid, gid } = read;
    const json = readEditableConfig(bytes);
    const problems = json.ok ? cameraProblems(bytes) : [json.problem];
    const repair = json.ok ? repairOf(json) : undefined;
    return { path, exists: true, bytes, mode, uid, gid, usable: json.ok, repair, problems };
  }
  if (read.problem === 'absent') {
    return { path, exists: false, bytes: undefined, mode: 0o600, uid: -1, gid: -1, usable: false, problems: [] };
  }
  if (read.problem === 'too-large') {
    throw new Failure('CONFIG_TOO_LARGE', 'tooLarge', { path, limit: MAX_CONFIG_BYTES });
  }
  // A failing card is a disk error, not a permission problem, and the next attempt may succeed.
  if (read.problem === 'unreadable') throw fileFailure(read.cause, `read ${path}`);
  throw unreadable(path, WHY_UNREADABLE[read.problem], read.cause);
}
