import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLog } from '../../src/log/log.ts';
import { readCredentials } from '../../src/state/credentials.ts';
import { readOwnDocument } from '../../src/state/ownDocument.ts';
import { loadSnapshot } from '../../src/state/snapshotFile.ts';

describe("the agent's own documents", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'own-document-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  // A name that is too long makes open fail, for root too, like a broken disk: neither absent nor damaged.
  const unreadable = (): string => join(folder, 'x'.repeat(300));

  it("a file that can't be read is a disk error, not a damaged file: it may hold the only copy of a token", async () => {
    const message = `Could not read ${unreadable()}: ENAMETOOLONG`;
    const failure = { code: 'DISK_ERROR', exitStatus: 74, message };
    await expect(readOwnDocument(unreadable())).rejects.toMatchObject(failure);
    await expect(readCredentials(unreadable(), silentLog, 0)).rejects.toMatchObject(failure);
    await expect(loadSnapshot(unreadable(), silentLog, 0)).rejects.toMatchObject(failure);
  });

  it('a folder in its place, and invalid JSON, are damaged', async () => {
    expect(await readOwnDocument(folder)).toEqual({ kind: 'damaged', why: 'not-a-file' });
    const path = join(folder, 'half');
    await writeFile(path, '{"format":');
    expect(await readOwnDocument(path)).toEqual({ kind: 'damaged', why: 'not valid JSON' });
  });
});
