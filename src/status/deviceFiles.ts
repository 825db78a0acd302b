import { readdir, realpath, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { boardSecretFile } from '../config/provision/boardSecretFile.ts';
import { externalSettings } from '../config/provision/externalSettings.ts';
import { type ProvisionSettings, readPublicSettings } from '../config/provision/provisionJson.ts';
import { type Backup, listBackups } from '../config/thermal/backups.ts';
import { readBoardIdentity } from '../device/board.ts';
import { deviceStorage, volatileStorage } from '../device/deviceStorage.ts';
import { requireDeviceFolder, requireStateFolder } from '../device/folder.ts';
import { lockHolder } from '../device/lock.ts';
import { nearMisses } from '../device/nearMisses.ts';
import type { DevicePaths } from '../device/paths.ts';
import { fileFailure, isENOENT } from '../failures/fileFailure.ts';
import { readLimited } from '../files/readLimited.ts';
import type { SnapshotDocument } from '../state/snapshotDocument.ts';
import { readSnapshot } from '../state/snapshotFile.ts';
import { type ConfiguredDevice, readConfiguredDevice } from './configuredDevice.ts';
import { type RecordedEvents, readEventLines } from './eventLines.ts';
import { type Part, present, problemOf, readPart, unusable } from './part.ts';
import { readStorage } from './storage.ts';
import { readStoredCredentials, type StoredCredentials } from './storedCredentials.ts';

/** What provision.json asks for, without key and secret. */
export interface RequestedTarget {
  readonly host: string;
  readonly port: number;
  readonly useSsl: boolean;
  readonly name: ProvisionSettings['name'];
  /** A run resumes only if its snapshot has the same digest. Undefined: the file holds no key. */
  readonly digest: string | undefined;
  /** Whether provision.json asks for the removal of its secret and still holds it. */
  readonly secretLeft?: boolean;
  /** Whether a board secret gives the credentials, as far as this environment tells. */
  readonly derives?: boolean;
}

/**
 * Everything that the files of a device say. Each part has its own problem, so that one unreadable file hides no other.
 * Nothing here is a secret.
 */
export interface DeviceFiles {
  readonly paths: DevicePaths;
  /** ms since the epoch */
  readonly readAt: number;
  /** Permission bits of the device folder. A problem when device folder or state folder can't exist. */
  readonly folder: Part<number>;
  /** A problem when the next run could not write its files. */
  readonly storage: Part<true>;
  /** Why a reboot loses what a run writes here; null: nothing shows that it does, or a board secret brings it back. */
  readonly volatile: string | null;
  /** Whether a board secret gives the credentials: by the settings that are seen here, or in the last run. */
  readonly derives: boolean;
  /** Modification time of provision.txt, ms since the epoch; null: it is not there. */
  readonly trigger: Part<number | null>;
  /** What may be meant as a provision.txt or a provision.json that is not there. */
  readonly nearMisses: { readonly trigger: readonly string[]; readonly provisionJson: readonly string[] };
  /** Modification time of provision.txt.processed; null: it is not there. */
  readonly processed: Part<number | null>;
  /** Null: there is no provision.json. */
  readonly target: Part<RequestedTarget | null>;
  /** Null: there is no snapshot. A damaged snapshot is the problem SNAPSHOT_DAMAGED. */
  readonly snapshot: Part<SnapshotDocument | null>;
  readonly credentials: Part<StoredCredentials | null>;
  readonly config: Part<ConfiguredDevice | null>;
  /** events.jsonl.1 and events.jsonl, oldest first. */
  readonly events: Part<RecordedEvents>;
  /** Newest first. */
  readonly backups: Part<readonly Backup[]>;
  /** Names of snapshots and credentials that were set aside. */
  readonly setAside: Part<readonly string[]>;
  /** Process of the agent that is running now; null: no agent is running. */
  readonly holder: number | null;
  /** The pid in the file `lock`; an agent that was killed leaves it there. Null: the file names no process. */
  readonly lockNote: number | null;
}

export interface ReadOptions {
  /** THERMAL_BOARD_ID; default: read from the hardware. */
  readonly boardId?: string;
  /** ms since the epoch; default: now. */
  readonly now?: number;
  /** The folder may be a copy, so board, storage and environment of this machine say nothing about the device. */
  readonly elsewhere?: boolean;
}

const MAX_NOTE_BYTES = 64;
const ASIDE_NAME = /^(snapshot|credentials)\.json\.[a-z]+-/;

/** Reads everything that the files of a device say. Changes nothing, takes no lock, and never throws for a file. */
export async function readDeviceFiles(paths: DevicePaths, options: ReadOptions = {}): Promise<DeviceFiles> {
  const elsewhere = options.elsewhere === true;
  const board = elsewhere ? undefined : await readBoardIdentity(options.boardId);
  // Before the files: an agent that ends during the reading has then written how it ended.
  const holder = (await lockHolder(paths.stateFolder)) ?? null;
  const trigger = await readPart(() => modifiedAt(paths.provisionTxt));
  const target = await readTarget(paths.provisionJson, elsewhere ? {} : process.env);
  const snapshot = await readSnapshotPart(paths.snapshot);
  // The variable of the board secret may be set for the agent alone, so its last run tells, too.
  const derives = target.value?.derives === true || snapshot.value?.context.settings?.derived === true;
  return {
    paths,
    readAt: options.now ?? Date.now(),
    holder,
    folder: await readPart(async () => {
      const { mode } = await requireDeviceFolder(paths.deviceFolder);
      await requireStateFolder(paths);
      return mode & 0o7777;
    }),
    storage: elsewhere ? present(true) : await readStorage(paths),
    derives,
    volatile: elsewhere || derives ? null : await volatileBecause(paths),
    trigger,
    nearMisses: {
      trigger: trigger.value === null ? await nearMisses(paths.provisionTxt) : [],
      provisionJson: target.value === null ? await nearMisses(paths.provisionJson) : [],
    },
    processed: await readPart(() => modifiedAt(paths.provisionTxtProcessed)),
    target,
    snapshot,
    credentials: await readStoredCredentials(paths.credentials, board),
    config: await readPart(() => readConfiguredDevice(paths.deviceFolder)),
    events: await readEventLines(paths.events),
    backups: await readPart(() => listBackups(paths.deviceFolder)),
    setAside: await readPart(() => namesSetAside(paths.stateFolder)),
    lockNote: await readLockNote(paths.lock),
  };
}

async function volatileBecause(paths: DevicePaths): Promise<string | null> {
  const config = await realpath(paths.thermalConfig).catch(() => undefined);
  const folders = await deviceStorage(paths, config === undefined ? undefined : dirname(config));
  return volatileStorage(folders)?.message ?? null;
}

async function modifiedAt(path: string): Promise<number | null> {
  try {
    const stats = await stat(path);
    return stats.isDirectory() ? null : Math.round(stats.mtimeMs);
  } catch (error) {
    if (isENOENT(error)) return null;
    throw fileFailure(error, `look at ${path}`);
  }
}

async function readTarget(path: string, environment: NodeJS.ProcessEnv): Promise<Part<RequestedTarget | null>> {
  try {
    // This user may lack permission to read key and secret.
    const external = externalSettings(environment);
    const { settings, digest, holdsSecret } = await readPublicSettings(path, external);
    const { host, port, useSsl, name } = settings;
    const secretLeft = settings.scrub === true && holdsSecret;
    const derives = boardSecretFile(settings, external) !== undefined;
    return present({ host, port, useSsl, name, digest, secretLeft, derives });
  } catch (error) {
    const problem = problemOf(error);
    return problem.code === 'PROVISION_JSON_MISSING' ? present(null) : unusable(problem);
  }
}

async function readSnapshotPart(path: string): Promise<Part<SnapshotDocument | null>> {
  try {
    const read = await readSnapshot(path);
    if (read.kind === 'snapshot') return present(read.snapshot);
    if (read.kind === 'absent') return present(null);
    return unusable({
      code: 'SNAPSHOT_DAMAGED',
      message: `${path} can't be used: ${read.why}`,
      hint: 'The next run sets it aside and reuses a name and token in credentials.json.',
      retryable: false,
    });
  } catch (error) {
    return unusable(problemOf(error));
  }
}

async function namesSetAside(stateFolder: string): Promise<readonly string[]> {
  try {
    return (await readdir(stateFolder)).filter((name) => ASIDE_NAME.test(name)).sort();
  } catch (error) {
    if (isENOENT(error)) return [];
    throw fileFailure(error, `list the folder ${stateFolder}`);
  }
}

async function readLockNote(path: string): Promise<number | null> {
  const read = await readLimited(path, MAX_NOTE_BYTES, false);
  const text = read.ok ? read.bytes.toString('latin1').trim() : '';
  return /^\d+$/.test(text) ? Number(text) : null;
}
