import { Failure } from '../failures/failure.ts';
import { versionOf } from './ownDocument.ts';
import { SNAPSHOT_FORMAT, SNAPSHOT_VERSION } from './snapshotDocument.ts';

/** Turns a document of the version that is its key into one of the next version. */
export type Migrations = Readonly<Record<number, (document: Record<string, unknown>) => Record<string, unknown>>>;

/** Version 1 is the first. A new version adds its step here; test/state/fixtures keeps a snapshot of each. */
export const SNAPSHOT_MIGRATIONS: Migrations = {};

/**
 * Brings a snapshot of any released version to the current one, step by step.
 * @returns undefined when the document is no snapshot at all, or a step for its version is missing
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
