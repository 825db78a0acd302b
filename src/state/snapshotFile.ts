import { Failure } from '../failures/failure.ts';
import { setAside } from '../files/ownFiles.ts';
import type { Log } from '../log/log.ts';
import { type Migrations, migrateSnapshot, SNAPSHOT_MIGRATIONS } from './migrations.ts';
import { readOwnDocument } from './ownDocument.ts';
import { type SnapshotDocument, snapshotSchema } from './snapshotDocument.ts';

export type SnapshotRead =
  | { readonly kind: 'absent' }
  | { readonly kind: 'snapshot'; readonly snapshot: SnapshotDocument }
  | { readonly kind: 'damaged'; readonly why: string };

/**
 * Reads snapshot.json without changing the file. Older versions are migrated in memory.
 * @throws Failure SNAPSHOT_NEWER, FILE_NOT_PERMITTED, DISK_ERROR
 */
export async function readSnapshot(path: string, migrations: Migrations = SNAPSHOT_MIGRATIONS): Promise<SnapshotRead> {
  const read = await readOwnDocument(path);
  if (read.kind === 'absent') return { kind: 'absent' };
  if (read.kind === 'not-permitted') {
    throw new Failure('FILE_NOT_PERMITTED', 'unreadable', { path }, read.cause);
  }
  if (read.kind === 'damaged') return { kind: 'damaged', why: read.why };
  const parsed = snapshotSchema.safeParse(migrateSnapshot(read.json, path, migrations));
  if (parsed.success) return { kind: 'snapshot', snapshot: parsed.data };
  return { kind: 'damaged', why: 'not of the expected shape' };
}

/**
 * Reads the snapshot for a run. Sets a damaged one aside, with a warning.
 * @param at ms since the epoch
 * @throws Failure SNAPSHOT_NEWER, FILE_NOT_PERMITTED, DISK_ERROR, and those of setAside
 */
export async function loadSnapshot(path: string, log: Log, at: number): Promise<SnapshotDocument | undefined> {
  const read = await readSnapshot(path);
  if (read.kind === 'snapshot') return read.snapshot;
  if (read.kind === 'damaged') {
    const aside = await setAside(path, 'damaged', at);
    log.warn('snapshot.damaged', `${path} can't be used (${read.why}) and was moved to ${aside}; a new run starts`, {
      file: path,
      movedTo: aside,
    });
  }
  return undefined;
}
