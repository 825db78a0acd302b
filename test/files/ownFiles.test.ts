import { execFileSync } from 'node:child_process';
import { chown, lchown, link, mkdir, readdir, readFile, realpath, stat, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ensurePrivateFolder, folderOwner, setAside, tightenMode, writeOwnFile } from '../../src/files/ownFiles.ts';
import { asOrdinaryUser, failureOf, put, scratchFolder } from '../config/scratch.ts';
import { syncedPaths } from '../support/syncedPaths.ts';
import { isRoot } from '../support/unprivileged.ts';

const OTHER = { uid: 65_534, gid: 65_533 };
const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o7777;

/** A folder that the ordinary user may list and enter, but not change. */
async function closedFolder(): Promise<string> {
  const folder = await scratchFolder();
  execFileSync('chmod', ['555', folder]);
  return folder;
}

describe('ensurePrivateFolder', () => {
  it('creates it for its owner only, with any umask', async () => {
    const folder = join(await scratchFolder(), 'state');
    const umask = process.umask(0);
    try {
      expect(await ensurePrivateFolder(folder)).toBe(false);
    } finally {
      process.umask(umask);
    }
    expect(await modeOf(folder)).toBe(0o700);
  });

  it.runIf(isRoot)('gives a new one to the owner of the parent folder (only root can)', async () => {
    const around = await scratchFolder();
    await chown(around, OTHER.uid, OTHER.gid);
    await ensurePrivateFolder(join(around, 'state'));
    expect(await stat(join(around, 'state'))).toMatchObject(OTHER);
  });

  it.each([0o700, 0o500])('does not change a private one of mode %o', async (mode) => {
    const folder = join(await scratchFolder(), 'state');
    await mkdir(folder, { mode });
    expect(await ensurePrivateFolder(folder)).toBe(false);
    expect(await modeOf(folder)).toBe(mode);
  });

  it.each(['755', '710', '701'])('tightens one of mode %s, and returns that', async (mode) => {
    const folder = join(await scratchFolder(), 'state');
    await mkdir(folder);
    execFileSync('chmod', [mode, folder]);
    expect(await ensurePrivateFolder(folder)).toBe(true);
    expect(await modeOf(folder)).toBe(0o700);
  });

  it('accepts one that another agent creates at the same moment', async () => {
    const folder = join(await scratchFolder(), 'state');
    const all = Array.from({ length: 20 }, () => ensurePrivateFolder(folder));
    expect(await Promise.all(all)).toEqual(all.map(() => false));
    expect(await modeOf(folder)).toBe(0o700);
  });

  it('fails for a dangling link', async () => {
    const around = await scratchFolder();
    const link = join(around, 'state');
    await symlink(join(around, 'none'), link);
    expect(await failureOf(() => ensurePrivateFolder(link))).toMatchObject({
      code: 'DISK_ERROR',
      message: `Could not create the folder ${link}: EEXIST`,
    });
  });

  it('fails without the parent folder', async () => {
    const folder = join(await scratchFolder(), 'none', 'state');
    expect(await failureOf(() => ensurePrivateFolder(folder))).toMatchObject({
      code: 'DISK_ERROR',
      message: `Could not create the folder ${folder}: ENOENT`,
    });
  });

  it('fails for a dangling link, and does not create its target', async () => {
    const folder = await scratchFolder();
    await symlink(join(folder, 'nowhere'), join(folder, 'state'));
    expect(await failureOf(() => ensurePrivateFolder(join(folder, 'state')))).toMatchObject({ code: 'DISK_ERROR' });
    expect(await readdir(folder)).toEqual(['state']);
  });

  it('refuses a file in its place, and does not change it', async () => {
    const path = await put(join(await scratchFolder(), 'state'), 'a file');
    expect(await failureOf(() => ensurePrivateFolder(path))).toMatchObject({
      code: 'DISK_ERROR',
      message: `Could not use the folder ${path}: it is not a folder`,
    });
    expect(await modeOf(path)).toBe(0o644);
  });

  it.runIf(isRoot)('follows a link of root, and a link of the owner of its folder', async () => {
    const around = await scratchFolder();
    await chown(around, OTHER.uid, OTHER.gid);
    for (const [name, uid] of [
      ['of-root', 0],
      ['of-owner', OTHER.uid],
    ] as const) {
      const elsewhere = await scratchFolder();
      const path = join(around, name);
      await symlink(elsewhere, path);
      await lchown(path, uid, uid);
      expect(await ensurePrivateFolder(path)).toBe(true);
      expect(await modeOf(elsewhere)).toBe(0o700);
    }
  });

  it.runIf(isRoot)('accepts a folder of any user: only a link can lead elsewhere', async () => {
    const folder = join(await scratchFolder(), 'state');
    await mkdir(folder, { mode: 0o700 });
    await chown(folder, OTHER.uid, OTHER.gid);
    expect(await ensurePrivateFolder(folder)).toBe(false);
  });

  it.runIf(isRoot)('does not follow a link of a user other than root and the owner of the folder', async () => {
    const elsewhere = await scratchFolder();
    const path = join(await scratchFolder(), 'state');
    await symlink(elsewhere, path);
    await lchown(path, OTHER.uid, OTHER.gid);
    execFileSync('chmod', ['755', elsewhere]);
    expect(await failureOf(() => ensurePrivateFolder(path))).toMatchObject({
      code: 'FILE_NOT_PERMITTED',
      message: expect.stringContaining(path),
    });
    expect(await modeOf(elsewhere)).toBe(0o755);
  });

  it('fails in a folder without write permission', async () => {
    const folder = join(await closedFolder(), 'state');
    const failure = await asOrdinaryUser(() => failureOf(() => ensurePrivateFolder(folder)));
    expect(failure).toMatchObject({ code: 'FOLDER_NOT_WRITABLE', message: expect.stringContaining(folder) });
  });

  it.runIf(isRoot)("fails for another user's folder that other users can access (only root can make one)", async () => {
    const folder = join(await scratchFolder(), 'state');
    await mkdir(folder);
    const failure = await asOrdinaryUser(() => failureOf(() => ensurePrivateFolder(folder)));
    expect(failure).toMatchObject({ code: 'FILE_NOT_PERMITTED', message: expect.stringContaining(folder) });
  });
});

describe('folderOwner', () => {
  it('is empty for an ordinary user, who owns the new files', async () => {
    const folder = await scratchFolder();
    if (isRoot) await chown(folder, OTHER.uid, OTHER.gid);
    expect(await asOrdinaryUser(() => folderOwner(join(folder, 'file')))).toEqual({});
  });

  it.runIf(isRoot)("is the folder's owner for root, unless that is root", async () => {
    const folder = await scratchFolder();
    expect(await folderOwner(join(folder, 'file'))).toEqual({});
    await chown(folder, OTHER.uid, OTHER.gid);
    expect(await folderOwner(join(folder, 'file'))).toEqual({ owner: OTHER });
  });

  it.runIf(isRoot)('fails for root without the folder', async () => {
    const path = join(await scratchFolder(), 'none', 'file');
    expect(await failureOf(() => folderOwner(path))).toMatchObject({ message: `Could not write ${path}: ENOENT` });
  });
});

describe('writeOwnFile', () => {
  it('writes a file for the owner only', async () => {
    const path = await put(join(await scratchFolder(), 'snapshot.json'), 'old', 0o666);
    await writeOwnFile(path, Buffer.from('new'));
    expect(await readFile(path, 'utf8')).toBe('new');
    expect(await modeOf(path)).toBe(0o600);
  });

  it.runIf(isRoot)("gives root's file to the folder's owner", async () => {
    const folder = await scratchFolder();
    await chown(folder, OTHER.uid, OTHER.gid);
    await writeOwnFile(join(folder, 'file'), Buffer.from('new'));
    expect(await stat(join(folder, 'file'))).toMatchObject(OTHER);
  });

  it('fails without the folder', async () => {
    const path = join(await scratchFolder(), 'none', 'file');
    expect(await failureOf(() => writeOwnFile(path, Buffer.from('new')))).toMatchObject({ code: 'DISK_ERROR' });
  });
});

describe('setAside', () => {
  const AT = Date.UTC(2026, 10, 23, 10, 15, 30, 123);

  it('keeps the file under a name with reason and time', async () => {
    const folder = await scratchFolder();
    const path = await put(join(folder, 'snapshot.json'), 'damaged');
    const aside = join(folder, 'snapshot.json.damaged-20261123T101530.123Z');
    expect(await setAside(path, 'damaged', AT)).toBe(aside);
    expect(await readFile(aside, 'utf8')).toBe('damaged');
    expect(await readdir(folder)).toHaveLength(1);
  });

  it('is durable: after a power loss the file is not back', async () => {
    const folder = await realpath(await scratchFolder());
    const path = await put(join(folder, 'credentials.json'), 'damaged');
    const synced = await syncedPaths(onTestFinished);
    await setAside(path, 'damaged', AT);
    expect(synced).toEqual([folder]);
  });

  it('keeps the five newest copies of a file, for any reason, and does not touch other files', async () => {
    const folder = await scratchFolder();
    const others = ['snapshot.json.old.damaged-20200101T000000.000Z', 'snapshot.json.damaged-20200101T000000.000Z.txt'];
    for (const name of others) await put(join(folder, name), '');
    const path = join(folder, 'snapshot.json');
    for (let hour = 0; hour < 7; hour += 1) {
      await put(path, String(hour));
      await setAside(path, hour % 2 === 0 ? 'damaged' : 'foreign', AT + hour * 3_600_000);
    }
    const kept = (await readdir(folder)).filter((name) => !others.includes(name));
    const contents = await Promise.all(kept.map((name) => readFile(join(folder, name), 'utf8')));
    expect(contents.sort()).toEqual(['2', '3', '4', '5', '6']);
    expect(await readdir(folder)).toEqual(expect.arrayContaining(others));
  });

  it('keeps the new copy, also when a clock that starts in 1970 makes it the oldest by name', async () => {
    const folder = await scratchFolder();
    const path = join(folder, 'credentials.json');
    for (let hour = 0; hour < 5; hour += 1) {
      await put(path, String(hour));
      await setAside(path, 'damaged', AT + hour * 3_600_000);
    }
    await put(path, 'the only copy');
    expect(await readFile(await setAside(path, 'foreign', 5000), 'utf8')).toBe('the only copy');
    const contents = await Promise.all((await readdir(folder)).map((name) => readFile(join(folder, name), 'utf8')));
    expect(contents.sort()).toEqual(['1', '2', '3', '4', 'the only copy']);
  });

  it('fails when there is nothing to set aside', async () => {
    const path = join(await scratchFolder(), 'none');
    expect(await failureOf(() => setAside(path, 'damaged', AT))).toMatchObject({
      code: 'DISK_ERROR',
      message: `Could not move ${path} out of the way: ENOENT`,
    });
  });
});

describe('tightenMode', () => {
  it('removes the access of group and others', async () => {
    const path = await put(join(await scratchFolder(), 'file'), '', 0o666);
    const { ino } = await stat(path);
    await tightenMode(path);
    expect(await stat(path)).toMatchObject({ ino, mode: 0o100600 });
  });

  it('does not change a second hard link of the file, which another program may use', async () => {
    const path = await put(join(await scratchFolder(), 'file'), 'content', 0o666);
    const second = join(await scratchFolder(), 'second');
    await link(path, second);
    await tightenMode(path);
    expect([await modeOf(path), await readFile(path, 'utf8')]).toEqual([0o600, 'content']);
    expect(await modeOf(second)).toBe(0o666);
  });

  it('fails when there is no file', async () => {
    const path = join(await scratchFolder(), 'none');
    expect(await failureOf(() => tightenMode(path))).toMatchObject({
      code: 'DISK_ERROR',
      message: `Could not tighten the mode of ${path}: ENOENT`,
    });
  });
});
