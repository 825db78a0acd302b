import { execFileSync } from 'node:child_process';
import { mkdir, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { MIN_FREE_BYTES, tryFolder } from '../../src/files/trialWrite.ts';
import { asOrdinaryUser, failureOf, put, scratchFolder } from '../config/scratch.ts';
import { MOUNT_REFUSED, mountedFolder } from '../support/mountedFolder.ts';
import { descriptorsBelow } from '../support/openDescriptors.ts';

const TEMPORARY = '.provision-probe.tmp';

describe('tryFolder', () => {
  it('does not change a writable folder', async () => {
    const folder = await scratchFolder();
    await put(join(folder, 'file'), 'x');
    await tryFolder(folder);
    expect(await readdir(folder)).toEqual(['file']);
    expect(await descriptorsBelow(folder)).toEqual([]);
  });

  it('removes the files of a killed trial write', async () => {
    const folder = await scratchFolder();
    await put(join(folder, TEMPORARY), 'left over');
    await put(join(folder, '.provision-probe'), 'left over');
    await tryFolder(folder);
    expect(await readdir(folder)).toEqual([]);
  });

  it('does not write through a planted link', async () => {
    const folder = await scratchFolder();
    const victim = await put(join(await scratchFolder(), 'victim'), 'untouched');
    await symlink(victim, join(folder, TEMPORARY));
    await tryFolder(folder);
    expect(await readFile(victim, 'utf8')).toBe('untouched');
  });

  it.each([TEMPORARY, '.provision-probe'])(
    'fails on a folder in the place of %s, and leaves no files',
    async (name) => {
      const folder = await scratchFolder();
      await mkdir(join(folder, name));
      expect(await failureOf(() => tryFolder(folder))).toMatchObject({ code: 'DISK_ERROR' });
      await rm(join(folder, name), { recursive: true });
      expect(await readdir(folder)).toEqual([]);
    },
  );

  it('fails without the folder', async () => {
    const folder = join(await scratchFolder(), 'none');
    expect(await failureOf(() => tryFolder(folder))).toMatchObject({
      code: 'DISK_ERROR',
      message: `Could not write to the folder ${folder}: ENOENT`,
    });
  });

  it('detects a folder without write permission', async () => {
    const folder = await scratchFolder();
    execFileSync('chmod', ['555', folder]);
    expect(await asOrdinaryUser(() => failureOf(() => tryFolder(folder)))).toMatchObject({
      code: 'FOLDER_NOT_WRITABLE',
      message: `Could not write to the folder ${folder}: permission denied`,
      cause: { code: 'EACCES' },
    });
  });

  it('detects a file system that is mounted read-only, also for root', async (context) => {
    const folder = await mountedFolder('ro');
    if (folder === undefined) return context.skip(MOUNT_REFUSED);
    expect(await failureOf(() => tryFolder(folder))).toMatchObject({
      code: 'FOLDER_NOT_WRITABLE',
      message: `Could not write to the folder ${folder}: EROFS (the file system is mounted read-only)`,
    });
  });

  it('detects a full disk', async (context) => {
    const folder = await mountedFolder('size=8k');
    if (folder === undefined) return context.skip(MOUNT_REFUSED);
    await put(join(folder, 'all'), Buffer.alloc(8192));
    expect(await failureOf(() => tryFolder(folder))).toMatchObject({
      code: 'DISK_FULL',
      message: `Could not write to the folder ${folder}: ENOSPC (no space left)`,
    });
    expect(await readdir(folder)).toEqual(['all']);
    expect(await descriptorsBelow(folder)).toEqual([]);
  });

  it('requires room for the planned files, which may be limited by a quota or by ulimit', async () => {
    const folder = await scratchFolder();
    const limitFileSize = (size: string): void => {
      execFileSync('prlimit', ['--pid', String(process.pid), `--fsize=${size}:`]);
    };
    limitFileSize('16384');
    const files = [{ bytes: 20_000, attributes: { mode: 0o600 } }];
    const failure = await failureOf(() => tryFolder(folder, { files })).finally(() => limitFileSize('unlimited'));
    expect(failure).toMatchObject({ code: 'DISK_ERROR', hint: expect.stringContaining('ulimit -f') });
    expect(await readdir(folder)).toEqual([]);
    expect(await tryFolder(folder, { files })).toMatchObject({ exposure: undefined });
  });

  it('requires 1 MiB of free space', async (context) => {
    const folder = await mountedFolder(`size=${MIN_FREE_BYTES}`);
    if (folder === undefined) return context.skip(MOUNT_REFUSED);
    await tryFolder(folder);
    await put(join(folder, 'one page'), 'x');
    expect(await failureOf(() => tryFolder(folder))).toMatchObject({
      code: 'DISK_FULL',
      message: `Only 0.9 MiB is free in ${folder}; at least 1 MiB is needed`,
    });
  });
});
