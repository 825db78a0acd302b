import { execFileSync } from 'node:child_process';
import { mkdir, readdir, readFile, realpath, rm, stat, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parseMountTable } from '../../src/files/mountTable.ts';
import {
  FIRST_START_INODES,
  MIN_FREE_BYTES,
  neededBytes,
  requireFreeSpace,
  tryFolder,
} from '../../src/files/trialWrite.ts';
import { asOrdinaryUser, failureOf, put, scratchFolder } from '../config/scratch.ts';
import { MOUNT_REFUSED, mountedFolder } from '../support/mountedFolder.ts';
import { descriptorsBelow } from '../support/openDescriptors.ts';
import { bindfsOver, NO_BINDFS } from '../support/strangeMounts.ts';
import { syncedPaths } from '../support/syncedPaths.ts';

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
    const failure = await failureOf(() => tryFolder(folder, { needed: neededBytes(1) }));
    expect(failure.message).toContain('at least 1.1 MiB is needed');
  });

  it('requires 6 inodes, where their number is fixed', async (context) => {
    // The root of the file system is one more.
    const [enough, few, any] = [
      await mountedFolder('nr_inodes=7'),
      await mountedFolder('nr_inodes=6'),
      await mountedFolder('nr_inodes=0'),
    ];
    if (enough === undefined || few === undefined || any === undefined) return context.skip(MOUNT_REFUSED);
    await tryFolder(enough);
    await tryFolder(any);
    expect(await failureOf(() => tryFolder(few))).toMatchObject({
      code: 'DISK_FULL',
      message: `Only 5 more files can be created in ${few}; at least 6 are needed (inodes)`,
    });
    const failure = await failureOf(() => requireFreeSpace(enough, 0, FIRST_START_INODES));
    expect(failure.message).toContain('at least 10 are needed');
    expect(await requireFreeSpace(enough, 0)).toBeGreaterThan(MIN_FREE_BYTES);
  });

  it('syncs one file on each file system, and the folder only if the run is the first to sync it', async () => {
    const folder = await realpath(await scratchFolder());
    const file = { bytes: 1, attributes: { mode: 0o600 } };
    const files = [file, file];
    const synced = await syncedPaths(onTestFinished);
    const { fileSystem } = await tryFolder(folder, { files });
    expect(synced).toEqual([join(folder, TEMPORARY)]);
    await tryFolder(folder, { files, proven: new Set([fileSystem]) });
    expect(synced).toHaveLength(1);
    await tryFolder(folder, { files, proven: new Set([fileSystem]), syncsFolder: true });
    expect(synced.slice(1)).toEqual([folder]);
    expect(fileSystem).toBe((await stat(folder)).dev);
  });

  describe('on a file system with modes of its own', () => {
    const tried = async (
      options: readonly string[],
      mode: number,
      owner?: { readonly uid: number; readonly gid: number },
    ) => {
      const folder = await scratchFolder();
      if (!(await bindfsOver(folder, options))) return undefined;
      const mounts = parseMountTable(`1 0 0:50 / ${await realpath(folder)} rw - fuse.bindfs real rw`);
      const files = [{ bytes: 1, attributes: { mode, ...(owner === undefined ? {} : { owner }) } }];
      return { folder, run: () => tryFolder(folder, { files, mounts }) };
    };

    it('warns if other users can read the token', async (context) => {
      const trial = await tried(['--chmod-ignore', '-p', '0755'], 0o600);
      if (trial === undefined) return context.skip(NO_BINDFS);
      const { exposure } = await trial.run();
      expect(exposure).toBe(
        `The file system of ${trial.folder} (fuse.bindfs) gives every file the mode 755: other users of this device can read the credentials in its files. Mount it with umask=077, or use a file system that keeps modes.`,
      );
    });

    it('fails if a file lacks the access that others need', async (context) => {
      const trial = await tried(['--chmod-ignore', '-p', '0600'], 0o644);
      if (trial === undefined) return context.skip(NO_BINDFS);
      const failure = await failureOf(trial.run);
      expect(failure.code).toBe('FILE_NOT_PERMITTED');
      expect(failure.message).toContain(`${trial.folder} (fuse.bindfs) does not keep the modes and owners of files`);
      expect(failure.message).toMatch(/a file for mode 644 and owner \d+:\d+ gets mode 600 and owner \d+:\d+$/);
    });

    it.for([
      ['user', { uid: 1000, gid: 0 }],
      ['group', { uid: 0, gid: 1000 }],
    ] as const)('fails if a file does not get its %s', async ([, owner], context) => {
      const trial = await tried(['--chown-ignore', '--chgrp-ignore'], 0o600, owner);
      if (trial === undefined) return context.skip(NO_BINDFS);
      const failure = await failureOf(trial.run);
      expect(failure.message).toContain(`owner ${owner.uid}:${owner.gid} gets mode 600 and owner 0:0`);
    });
  });
});

it('a run needs room for the configuration, its backup and a temporary copy', () => {
  expect(neededBytes(100)).toBe(MIN_FREE_BYTES + 300);
});
