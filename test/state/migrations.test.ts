import { describe, expect, it } from 'vitest';
import { FAILURES, isFailureCode } from '../../src/failures/catalogue.ts';
import { migrateSnapshot, SNAPSHOT_MIGRATIONS } from '../../src/state/migrations.ts';
import { SNAPSHOT_VERSION } from '../../src/state/snapshotDocument.ts';
import { failureOf } from '../config/scratch.ts';
import { snapshotIn } from '../support/snapshots.ts';

const SNAPSHOT = snapshotIn('request');
const append = (letter: string) => (document: Record<string, unknown>) => ({
  ...document,
  path: `${String(document.path ?? '')}${letter}`,
});

describe('migrating a snapshot', () => {
  it('does not change a snapshot of the current version', () => {
    expect(migrateSnapshot(SNAPSHOT, 'p')).toEqual(SNAPSHOT);
  });

  it('takes one step for each version, in order', () => {
    const migrations = { 1: append('a'), 2: append('b'), 3: append('c') };
    expect(migrateSnapshot(SNAPSHOT, 'p', migrations, 4)).toEqual({ ...SNAPSHOT, version: 4, path: 'abc' });
    expect(migrateSnapshot({ ...SNAPSHOT, version: 3 }, 'p', migrations, 4)).toMatchObject({ version: 4, path: 'c' });
  });

  it('returns undefined when a step is missing', () => {
    expect(migrateSnapshot(SNAPSHOT, 'p', { 2: append('b') }, 3)).toBeUndefined();
  });

  it.each([undefined, null, 7, 'text', [], {}, { ...SNAPSHOT, format: 'other' }, { ...SNAPSHOT, version: '1' }])(
    'returns undefined for %j, which is not a snapshot',
    (json) => {
      expect(migrateSnapshot(json, 'p')).toBeUndefined();
    },
  );

  it('refuses a newer version', async () => {
    const failure = await failureOf(() => migrateSnapshot({ ...SNAPSHOT, version: 9 }, '/s/snapshot.json'));
    expect(failure.code).toBe('SNAPSHOT_NEWER');
    expect(failure.message).toContain('/s/snapshot.json');
  });

  it('has a step for every released version before the current one', () => {
    for (let version = 1; version < SNAPSHOT_VERSION; version += 1)
      expect(SNAPSHOT_MIGRATIONS).toHaveProperty([version]);
  });
});

it('distinguishes codes of the catalogue from others', () => {
  for (const code of Object.keys(FAILURES)) expect(isFailureCode(code)).toBe(true);
  for (const code of ['NO_SUCH_CODE', 'toString', '']) expect(isFailureCode(code)).toBe(false);
});
