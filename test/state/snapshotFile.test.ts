import { mkdir, readdir, readFile, symlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { fileExists } from '../../src/files/fileExists.ts';
import type { RecordedContext, SnapshotDocument } from '../../src/state/snapshotDocument.ts';
import { loadSnapshot, readSnapshot } from '../../src/state/snapshotFile.ts';
import { asOrdinaryUser, failureOf, put } from '../config/scratch.ts';
import { SETTINGS, TRIGGER } from '../support/chartAnswers.ts';
import { START } from '../support/chartRun.ts';
import { makeFolder } from '../support/deviceFolder.ts';
import { recordedLog } from '../support/recordedLog.ts';
import { snapshotIn } from '../support/snapshots.ts';

const newPath = async (): Promise<string> => join(await makeFolder(onTestFinished), 'snapshot.json');
const KNOWN = { trigger: TRIGGER, settings: SETTINGS, unknownAt: START, retryAt: START };
const GRANTED = { deviceName: 'camera', fingerprint: '01234567', successSeen: true };
const FAILED = { code: 'C', message: 'm', hint: 'h', retryable: true, exitStatus: 69, causes: ['because'] };
const SNAPSHOT = snapshotIn('request', { deviceName: 'camera', requestsOut: 1 });

const NAME_SOURCES = ['random', 'mac', 'serial', 'machine-id', 'hostname', 'command', 'template'] as const;

describe('a snapshot', () => {
  it('is absent before the first run', async () => {
    const path = await newPath();
    expect(await readSnapshot(path)).toEqual({ kind: 'absent' });
    const { log, lines } = recordedLog();
    expect(await loadSnapshot(path, log, START)).toBeUndefined();
    expect(lines).toEqual([]);
  });

  it('is read as it was written', async () => {
    const path = await put(await newPath(), JSON.stringify(SNAPSHOT));
    expect(await readSnapshot(path)).toEqual({ kind: 'snapshot', snapshot: SNAPSHOT });
    expect(await loadSnapshot(path, recordedLog().log, START)).toEqual(SNAPSHOT);
  });

  it.each<readonly [string, Partial<SnapshotDocument>, Partial<RecordedContext>]>([
    ['before the server is known', { status: 'pending' }, {}],
    [
      'in a pause',
      { status: 'in-progress', error: { code: 'C', message: 'm', hint: 'h' } },
      { ...KNOWN, lastAnswer: 'unknown', waitingFor: 'retry', lastFailure: FAILED },
    ],
    ['in a pause before a probe', {}, { ...KNOWN, lastAnswer: 'failure', waitingFor: 'probe' }],
    ['in a pause before a verification', {}, { ...KNOWN, granted: GRANTED, waitingFor: 'verification' }],
    ['at its end', { status: 'completed' }, { ...KNOWN, granted: GRANTED, provenBy: 'attributes' }],
    ['proven by CONNACK', { status: 'completed' }, { ...KNOWN, granted: GRANTED, provenBy: 'connack' }],
    ['that failed', { status: 'failed' }, { settings: { ...SETTINGS, nameSource: 'fixed' }, error: FAILED }],
    ...NAME_SOURCES.map(
      (nameSource) => [`of a name from ${nameSource}`, {}, { settings: { ...SETTINGS, nameSource } }] as const,
    ),
    ['with a board secret', {}, { settings: { ...SETTINGS, derived: true } }],
    ['on a server that creates devices', {}, { knownStrategy: { digest: 'd', strategy: 'creates' } }],
    ['on a server that checks devices', {}, { knownStrategy: { digest: 'd', strategy: 'checks' } }],
  ])('%s keeps every value', async (_when, document, context) => {
    const snapshot = { ...snapshotIn('request', context), ...document };
    const path = await put(await newPath(), JSON.stringify(snapshot));
    expect(await readSnapshot(path)).toEqual({ kind: 'snapshot', snapshot });
  });

  it('of a newer agent is refused and not changed', async () => {
    const path = await put(await newPath(), JSON.stringify({ ...SNAPSHOT, version: 2, state: 'hibernate' }));
    const failure = await failureOf(() => loadSnapshot(path, recordedLog().log, START));
    expect([failure.code, failure.exitStatus]).toEqual(['SNAPSHOT_NEWER', 65]);
    expect(failure.message).toBe(`${path} was written by a newer agent: version 2, known: 1`);
    expect(await fileExists(path)).toBe(true);
  });

  it('of an older agent is migrated, in memory', async () => {
    const { retries: _, ...older } = SNAPSHOT.context;
    const text = JSON.stringify({ ...SNAPSHOT, version: 0, context: older });
    const path = await put(await newPath(), text);
    const migrations = {
      0: (document: Record<string, unknown>) => ({ ...document, context: { ...older, retries: 0 } }),
    };
    expect(await readSnapshot(path, migrations)).toEqual({ kind: 'snapshot', snapshot: SNAPSHOT });
    expect(await readFile(path, 'utf8')).toBe(text);
    expect(await readSnapshot(path)).toMatchObject({ kind: 'damaged' });
  });

  it("that the agent's user can't read is a failure, not a damaged file", async () => {
    const path = await put(await newPath(), JSON.stringify(SNAPSHOT), 0);
    const failure = await asOrdinaryUser(() => failureOf(() => readSnapshot(path)));
    expect(failure.code).toBe('FILE_NOT_PERMITTED');
    expect(failure.message).toContain(path);
  });
});

const DAMAGED: readonly (readonly [string, string | Buffer])[] = [
  ['empty', ''],
  ['cut off', JSON.stringify(SNAPSHOT).slice(0, -20)],
  ['binary', Buffer.from([0, 255, 254, 1, 2, 3])],
  ['null', 'null'],
  ['a number', '7'],
  ['a list', '[]'],
  ['without a format', '{"version":1}'],
  ['of another format', JSON.stringify({ ...SNAPSHOT, format: 'other' })],
  ['without a version', JSON.stringify({ format: SNAPSHOT.format })],
  ['of a version that is not an integer', JSON.stringify({ ...SNAPSHOT, version: 1.5 })],
  ['of a version that is a text', JSON.stringify({ ...SNAPSHOT, version: '1' })],
  ['of a version before the first', JSON.stringify({ ...SNAPSHOT, version: -1 })],
  ['in an unknown state', JSON.stringify({ ...SNAPSHOT, state: 'route' })],
  ['without a context', JSON.stringify({ ...SNAPSHOT, context: null })],
  ['with a fourth name', JSON.stringify({ ...SNAPSHOT, context: { ...SNAPSHOT.context, nameIndex: 4 } })],
  ['with too long a history', JSON.stringify({ ...SNAPSHOT, history: Array(101).fill(SNAPSHOT.history[0]) })],
  ['too large', ' '.repeat(256 * 1024 + 1)],
];

describe("a snapshot that the storage can't read", () => {
  it('is a failure, not a damaged file: it is not set aside', async () => {
    // An error of open(2) that does not depend on the file; a failing card gives EIO.
    const path = `${await newPath()}${'x'.repeat(255)}`;
    const failure = await failureOf(() => loadSnapshot(path, recordedLog().log, START));
    expect([failure.code, failure.exitStatus]).toEqual(['DISK_ERROR', 74]);
  });
});

describe('a snapshot that is damaged', () => {
  it.each(DAMAGED)('%s: is set aside, with a warning', async (_how, content) => {
    const path = await put(await newPath(), content);
    expect(await readSnapshot(path)).toMatchObject({ kind: 'damaged' });
    const { log, lines } = recordedLog();
    expect(await loadSnapshot(path, log, START)).toBeUndefined();
    const aside = `${path}.damaged-20261123T100000.000Z`;
    expect(await readdir(dirname(path))).toEqual([basename(aside)]);
    const details = { file: path, movedTo: aside };
    expect(lines).toMatchObject([{ level: 'warn', event: 'snapshot.damaged', details }]);
    expect(lines[0]?.message).toContain(`moved to ${aside}; a new run starts`);
  });

  it('is not quoted in the log: it may hold a secret', async () => {
    const path = await put(await newPath(), '{"token":"sEcReT" oops');
    const { log, lines } = recordedLog();
    await loadSnapshot(path, log, START);
    expect(JSON.stringify(lines)).not.toContain('sEcReT');
  });

  it('can also be a link or a folder: the agent never creates them there', async () => {
    const target = await put(await newPath(), JSON.stringify(SNAPSHOT));
    const link = await newPath();
    await symlink(target, link);
    const folder = await newPath();
    await mkdir(folder);
    expect(await readSnapshot(link)).toEqual({ kind: 'damaged', why: 'not-a-file' });
    expect(await readSnapshot(folder)).toEqual({ kind: 'damaged', why: 'not-a-file' });
    await loadSnapshot(link, recordedLog().log, START);
    expect(await readdir(dirname(target))).toEqual([basename(target)]);
  });
});
