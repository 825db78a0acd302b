import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect } from 'vitest';
import { Failure, toFailureRecord } from '../../src/failures/failure.ts';
import { formatJson } from '../../src/log/format.ts';
import { createLog } from '../../src/log/log.ts';
import { decideStartUp } from '../../src/provision/startUp.ts';
import { type Credentials, readCredentials } from '../../src/state/credentials.ts';
import { readSnapshot, type SnapshotRead } from '../../src/state/snapshotFile.ts';
import { everyWordOf } from '../config/scratch.ts';
import { type Property, type PropertyCheck, propertyOf } from '../support/property.ts';
import { spoiledJson } from '../support/spoiledJson.ts';

const TOKEN = 'ZQJX7Q9ZXJ0123456789';
const AT = Date.UTC(2026, 10, 23);
const BOARD = { serial: '0011223344556677', machine: null };
const TRIGGER = { inode: '12', mtimeNs: '1763892000000000000' };

const snapshot = {
  format: 'thermal-provision-snapshot',
  version: 1,
  agentVersion: '1.0.0',
  runId: '00112233aabbccdd',
  seq: 9,
  savedAt: '2026-11-23T10:00:01.000Z',
  startedAt: '2026-11-23T10:00:00.000Z',
  state: 'reconcile',
  status: 'in-progress',
  attempt: 1,
  maxAttempts: 4,
  context: {
    runId: '00112233aabbccdd',
    startedAt: AT,
    now: AT,
    trigger: TRIGGER,
    settings: {
      digest: '0123456789abcdef',
      server: { host: 'server.example', port: 1883, useSsl: false, caFile: null },
      nameSource: 'random',
      maxRetries: 3,
      timeoutSeconds: 30,
    },
    previousDeviceId: null,
    newestBackupAt: null,
    nameIndex: 1,
    deviceName: 'thermal-camera-000001',
    fingerprint: 'f1f1f1f1',
    requestsOut: 1,
    lastAnswer: 'unknown',
    unknownAt: AT,
    probed: false,
    refusedProbes: 0,
    retries: 0,
    retryAt: null,
    waitingFor: null,
    lastFailure: { code: 'ANSWER_TIMEOUT', message: 'm', hint: 'h', retryable: true, exitStatus: 69, causes: [] },
    granted: null,
    refusedVerifications: 0,
    provenBy: null,
    backupName: null,
    backup: null,
    writeRounds: 0,
    furthestStep: 3,
    resumes: 0,
    startedOver: false,
    warnings: ['w'],
    error: null,
  },
  history: [{ state: 'detect', enteredAt: '2026-11-23T10:00:00.000Z', durationMs: 5, attempt: 1, resumed: false }],
  error: null,
};

const credentials = {
  format: 'thermal-provision-credentials',
  version: 1,
  target: { digest: '0123456789abcdef', host: 'server.example', port: 1883 },
  board: BOARD,
  candidates: [
    { nameIndex: 1, name: 'thermal-camera-000001', token: TOKEN, runId: '00112233aabbccdd', answered: false },
  ],
  granted: { deviceName: 'thermal-camera-000001', token: TOKEN, successSeenBy: '00112233aabbccdd' },
};

/** A folder for all cases of a property, with a file of the given name. */
async function inFolder(
  name: string,
  check: (path: string, bytes: Buffer) => Promise<void>,
): Promise<PropertyCheck<Buffer>> {
  const folder = await mkdtemp(join(tmpdir(), 'thermal-property-'));
  const path = join(folder, name);
  return {
    async check(bytes) {
      await writeFile(path, bytes, { mode: 0o600 });
      await check(path, bytes);
      for (const entry of await readdir(folder)) await rm(join(folder, entry));
    },
    close: () => rm(folder, { recursive: true, force: true }),
  };
}

/** Result of the call. It may only throw a failure with one of the codes, without the secret in its texts. */
async function outcome<T>(run: () => Promise<T>, codes: readonly string[]): Promise<T | Failure> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    expect(codes).toContain(error.code);
    expect(everyWordOf(error) + JSON.stringify(toFailureRecord(error))).not.toContain('ZQJX');
    return error;
  }
}

function checkStartUps(read: SnapshotRead, found: Credentials | undefined): void {
  const known = read.kind === 'snapshot' ? read.snapshot : undefined;
  for (const trigger of [TRIGGER, null]) {
    for (const written of [true, false]) {
      const { kind } = decideStartUp({ trigger, credentials: found, snapshot: known, board: BOARD, written });
      if (trigger !== null) expect(kind).not.toBe('nothing');
      if (kind === 'resume') expect(read.kind).toBe('snapshot');
      if (kind === 'finish') expect(written).toBe(true);
    }
  }
}

const snapshotCheck = (): Promise<PropertyCheck<Buffer>> =>
  inFolder('snapshot.json', async (path, bytes) => {
    const read = await outcome(() => readSnapshot(path), ['SNAPSHOT_NEWER']);
    if (!(read instanceof Failure)) {
      checkStartUps(read, undefined);
      if (read.kind === 'damaged') expect(read.why).not.toContain('ZQJX');
    }
    expect(await readFile(path)).toEqual(bytes);
  });

const credentialsCheck = (): Promise<PropertyCheck<Buffer>> =>
  inFolder('credentials.json', async (path, bytes) => {
    const lines: string[] = [];
    const clock = { now: () => AT, monotonic: () => 0 };
    const log = createLog((record) => lines.push(formatJson(record)), clock, {
      runId: null,
      state: null,
      attempt: null,
    });
    const read = await outcome(() => readCredentials(path, log, AT), ['CREDENTIALS_NEWER']);
    const shown = read instanceof Failure || read === undefined ? '' : JSON.stringify(read);
    expect(lines.join('\n') + shown).not.toContain('ZQJX');
    if (!(read instanceof Failure)) checkStartUps({ kind: 'absent' }, read);
    // The only copy of generated tokens is kept, here or set aside, and setting it aside is logged.
    const names = await readdir(join(path, '..'));
    expect(names).toHaveLength(1);
    expect(await readFile(join(path, '..', names.join()))).toEqual(bytes);
    expect(lines.length).toBe(names.includes('credentials.json') ? 0 : 1);
  });

/** Properties for any content of the agent's own files. */
export const documentProperties: readonly Property[] = [
  propertyOf(
    'snapshot.json: it is read, called damaged or newer, never changed, and a start can be decided',
    400,
    fc.oneof({ weight: 9, arbitrary: spoiledJson(snapshot) }, fc.uint8Array().map(Buffer.from)),
    snapshotCheck,
  ),
  propertyOf(
    'credentials.json: it is read, set aside or newer, never lost, and no token is shown',
    400,
    fc.oneof({ weight: 9, arbitrary: spoiledJson(credentials) }, fc.uint8Array().map(Buffer.from)),
    credentialsCheck,
  ),
];
