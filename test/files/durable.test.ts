import { execFileSync } from 'node:child_process';
import { mkdir, open, readdir, readFile, rm, stat, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  durableRemove,
  durableRename,
  durableReplace,
  makeEntriesDurable,
  syncFolder,
  temporaryPath,
} from '../../src/files/durable.ts';
import { asOrdinaryUser, failureOf, makeFifo, put, scratchFolder } from '../config/scratch.ts';
import { MOUNT_REFUSED, mountedFolder } from '../support/mountedFolder.ts';
import { descriptorsBelow } from '../support/openDescriptors.ts';
import { isRoot } from '../support/unprivileged.ts';

const OLD = 'the old content';
const NEW = Buffer.from('the new content, which is longer than the old one');
const MODE = { mode: 0o600 };
const OTHER = { uid: 65_534, gid: 65_533 };

/** A folder with one file that has the old content. */
async function folderWithFile(mode = 0o644): Promise<{ folder: string; path: string }> {
  const folder = await scratchFolder();
  return { folder, path: await put(join(folder, 'file.json'), OLD, mode) };
}

const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o7777;

/** Checks that only the old file exists, and nothing is open. */
async function expectUntouched(folder: string, path: string): Promise<void> {
  expect(await readFile(path, 'utf8')).toBe(OLD);
  expect(await readdir(folder)).toEqual(['file.json']);
  expect(await descriptorsBelow(folder)).toEqual([]);
}

describe('durableReplace', () => {
  it('replaces the content, and leaves no other file and no open descriptor', async () => {
    const { folder, path } = await folderWithFile();
    await durableReplace(path, NEW, MODE);
    expect(await readFile(path)).toEqual(NEW);
    expect(await readdir(folder)).toEqual(['file.json']);
    expect(await descriptorsBelow(folder)).toEqual([]);
  });

  it('creates an absent file', async () => {
    const path = join(await scratchFolder(), 'new');
    await durableReplace(path, new Uint8Array(0), MODE);
    expect(await readFile(path, 'utf8')).toBe('');
  });

  it('keeps the old content for a program that has the old file open', async () => {
    const { path } = await folderWithFile();
    const reader = await open(path);
    await durableReplace(path, NEW, MODE);
    expect(await reader.readFile('utf8')).toBe(OLD);
    await reader.close();
  });

  it.each([0o600, 0o644, 0o660, 0o666, 0o400])('sets mode %o with any umask', async (mode) => {
    const { path } = await folderWithFile();
    const umask = process.umask(0o077);
    try {
      await durableReplace(path, NEW, { mode });
    } finally {
      process.umask(umask);
    }
    expect(await modeOf(path)).toBe(mode);
  });

  it.runIf(isRoot)('sets the owner, and the mode bits that chown clears (only root can change owners)', async () => {
    const { path } = await folderWithFile();
    await durableReplace(path, NEW, { mode: 0o2750, owner: OTHER });
    expect(await stat(path)).toMatchObject(OTHER);
    expect(await modeOf(path)).toBe(0o2750);
  });

  it("fails when the owner can't be set, and changes nothing", async () => {
    const { folder, path } = await folderWithFile();
    if (isRoot) execFileSync('chown', ['-R', '65534', folder]);
    await asOrdinaryUser(async () => {
      const failure = await failureOf(() => durableReplace(path, NEW, { mode: 0o600, owner: { uid: 1, gid: 1 } }));
      expect(failure).toMatchObject({ code: 'FILE_NOT_PERMITTED' });
      expect(failure.message).toContain(path);
    });
    await expectUntouched(folder, path);
  });

  describe('with something in the place of the temporary file', () => {
    it('removes a leftover', async () => {
      const { folder, path } = await folderWithFile();
      await put(temporaryPath(path), 'left over by a killed run, and long'.repeat(100), 0o666);
      await durableReplace(path, NEW, MODE);
      expect(await readFile(path)).toEqual(NEW);
      expect(await modeOf(path)).toBe(0o600);
      expect(await readdir(folder)).toEqual(['file.json']);
    });

    it('does not write through a link', async () => {
      const { path } = await folderWithFile();
      const elsewhere = await put(join(await scratchFolder(), 'victim'), 'untouched');
      await symlink(elsewhere, temporaryPath(path));
      await durableReplace(path, NEW, MODE);
      expect(await readFile(elsewhere, 'utf8')).toBe('untouched');
      expect(await readFile(path)).toEqual(NEW);
    });

    it('does not create the target of a dangling link', async () => {
      const { path } = await folderWithFile();
      const elsewhere = await scratchFolder();
      await symlink(join(elsewhere, 'victim'), temporaryPath(path));
      await durableReplace(path, NEW, MODE);
      expect(await readdir(elsewhere)).toEqual([]);
    });

    it('does not hang on a FIFO', async () => {
      const { path } = await folderWithFile();
      makeFifo(temporaryPath(path));
      await durableReplace(path, NEW, MODE);
      expect(await readFile(path)).toEqual(NEW);
    });

    it('fails on a folder, because it may contain files', async () => {
      const { folder, path } = await folderWithFile();
      await mkdir(temporaryPath(path));
      const failure = await failureOf(() => durableReplace(path, NEW, MODE));
      expect(failure.message).toContain(`Could not write ${path}: `);
      await rm(temporaryPath(path), { recursive: true });
      await expectUntouched(folder, path);
    });
  });

  it('fails without the folder', async () => {
    const path = join(await scratchFolder(), 'none', 'file');
    expect(await failureOf(() => durableReplace(path, NEW, MODE))).toMatchObject({
      code: 'DISK_ERROR',
      message: `Could not write ${path}: ENOENT`,
    });
  });

  it('fails on a folder of that name, leaving no temporary file', async () => {
    const folder = await scratchFolder();
    await mkdir(join(folder, 'file'));
    expect(await failureOf(() => durableReplace(join(folder, 'file'), NEW, MODE))).toMatchObject({
      code: 'DISK_ERROR',
    });
    expect(await readdir(folder)).toEqual(['file']);
  });

  it('fails in a folder without write permission, and changes nothing', async () => {
    const { folder, path } = await folderWithFile();
    execFileSync('chmod', ['555', folder]);
    const failure = await asOrdinaryUser(() => failureOf(() => durableReplace(path, NEW, MODE)));
    execFileSync('chmod', ['755', folder]);
    expect(failure).toMatchObject({
      code: 'FILE_NOT_PERMITTED',
      message: `Could not write ${path}: EACCES (permission denied)`,
    });
    await expectUntouched(folder, path);
  });

  it('fails on a full disk, and changes nothing', async (context) => {
    const folder = await mountedFolder('size=16k');
    if (folder === undefined) return context.skip(MOUNT_REFUSED);
    const path = await put(join(folder, 'file.json'), OLD);
    const failure = await failureOf(() => durableReplace(path, Buffer.alloc(100_000), MODE));
    expect(failure).toMatchObject({
      code: 'DISK_FULL',
      message: `Could not write ${path}: ENOSPC (no space left)`,
    });
    await expectUntouched(folder, path);
  });

  it('fails on a read-only file system', async (context) => {
    const folder = await mountedFolder('ro');
    if (folder === undefined) return context.skip(MOUNT_REFUSED);
    const failure = await failureOf(() => durableReplace(join(folder, 'file'), NEW, MODE));
    expect(failure.code).toBe('FOLDER_NOT_WRITABLE');
    expect(failure.message).toContain('the file system is mounted read-only');
  });

  it('fails during a write, changes nothing and leaves nothing open', async () => {
    const { folder, path } = await folderWithFile();
    const limitFileSize = (size: string): void => {
      execFileSync('prlimit', ['--pid', String(process.pid), `--fsize=${size}:`]);
    };
    limitFileSize('4096');
    const failure = await failureOf(() => durableReplace(path, Buffer.alloc(100_000), MODE)).finally(() =>
      limitFileSize('unlimited'),
    );
    expect(failure).toMatchObject({
      code: 'DISK_ERROR',
      message: `Could not write ${path}: EFBIG (larger than files may be here)`,
    });
    await expectUntouched(folder, path);
  });
});

describe('durableRename', () => {
  it('replaces the file with the new name', async () => {
    const { folder, path } = await folderWithFile();
    const target = await put(join(folder, 'target'), 'older');
    await durableRename(path, target);
    expect(await readdir(folder)).toEqual(['target']);
    expect(await readFile(target, 'utf8')).toBe(OLD);
    expect(await descriptorsBelow(folder)).toEqual([]);
  });

  it('fails when there is nothing to rename', async () => {
    const folder = await scratchFolder();
    const [from, to] = [join(folder, 'a'), join(folder, 'b')];
    expect(await failureOf(() => durableRename(from, to))).toMatchObject({
      code: 'DISK_ERROR',
      message: `Could not rename ${from} to ${to}: ENOENT`,
    });
  });
});

describe('durableRemove', () => {
  it('removes a file, and does nothing the second time', async () => {
    const { folder, path } = await folderWithFile();
    await durableRemove(path);
    await durableRemove(path);
    expect(await readdir(folder)).toEqual([]);
    expect(await descriptorsBelow(folder)).toEqual([]);
  });

  it('removes a link, not its target', async () => {
    const { folder, path } = await folderWithFile();
    await symlink(path, join(folder, 'link'));
    await durableRemove(join(folder, 'link'));
    await expectUntouched(folder, path);
  });

  it('fails on a folder', async () => {
    const folder = await scratchFolder();
    await mkdir(join(folder, 'sub'));
    const failure = await failureOf(() => durableRemove(join(folder, 'sub')));
    expect(failure.message).toContain(`Could not remove ${join(folder, 'sub')}: `);
  });

  it("fails when the removal can't be made durable, because the folder can't be opened", async () => {
    const { folder, path } = await folderWithFile();
    execFileSync('chmod', ['333', folder]);
    const failure = await asOrdinaryUser(() => failureOf(() => durableRemove(path)));
    execFileSync('chmod', ['755', folder]);
    expect(failure).toMatchObject({ code: 'FILE_NOT_PERMITTED', message: expect.stringContaining(path) });
    expect(await readdir(folder)).toEqual([]);
  });
});

describe('syncFolder', () => {
  it('refuses a file', async () => {
    const { folder, path } = await folderWithFile();
    await expect(syncFolder(path)).rejects.toMatchObject({ code: 'ENOTDIR' });
    await syncFolder(folder);
    expect(await descriptorsBelow(folder)).toEqual([]);
  });
});

describe('makeEntriesDurable', () => {
  it("syncs a folder, and names a folder that can't be synced", async () => {
    const { folder, path } = await folderWithFile();
    await makeEntriesDurable(folder);
    expect(await failureOf(() => makeEntriesDurable(path))).toMatchObject({
      code: 'DISK_ERROR',
      message: expect.stringContaining(path),
    });
  });
});
