import { Failure } from '../failures/failure.ts';
import { versionOf } from './ownDocument.ts';
import { SNAPSHOT_FORMAT, SNAPSHOT_VERSION } from './snapshotDocument.ts';

/** For each version: turns a document of that version into one of the next version. */
export type Migrations = Readonly<Record<number, (document: Record<string, unknown>) => Record<string, unknown>>>;

/** Version 1 is the first. A new version adds a step here and a snapshot in test/state/fixtures. */
export const SNAPSHOT_MIGRATIONS: Migrations = {};

/**
 * Migrates a snapshot of any released version to the current version, step by step.
 * @returns undefined when the document is not a snapshot, or a step for its version is missing
 * @throws Failure SNAPSHOT_NEWER
 */
export function migrateSnapshot(
  json: unknown,
  path: string,
  migrations: Migrations = SNAPSHOT_MIGRATIONS,
  current: number = SNAPSHOT_VERSION,
): unknown {
  let version = versionOf(json, SNAPSHOT_FORMAT);
  if (version === undefined || typeof json !== 'object' || json === null) return undefined;
  if (version > current) {
    throw new Failure('SNAPSHOT_NEWER', 'newer', { path, version, known: current });
  }
  let document: Record<string, unknown> = { ...json };
  while (version < current) {
    const step = migrations[version];
    if (step === undefined) return undefined;
    version += 1;
    document = { ...step(document), version };
  }
  return document;
}
