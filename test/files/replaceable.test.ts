import { chmod, chown, mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryPath } from '../../src/files/durable.ts';
import { type Mount, parseMountTable } from '../../src/files/mountTable.ts';
import { isFolder, requireMovableFile, requireReplaceableFile } from '../../src/files/replaceable.ts';
import { asOrdinaryUser, failureOf, put, scratchFolder } from '../config/scratch.ts';
import { setFlag } from '../support/strangeMounts.ts';

const NO_CHATTR = 'only root with chattr, on a file system with these flags, can do this';
const NO_CHOWN = 'only root can give files away';
const NO_MOUNTS: readonly Mount[] = [];

const mountedAt = (path: string): readonly Mount[] => parseMountTable(`2 1 8:1 / ${path} rw - ext4 /dev/sda1 rw`);

/** A file of one byte in a new folder. */
const fileIn = async (folder?: string): Promise<string> => put(join(folder ?? (await scratchFolder()), 'file'), 'x');

describe('a file can be replaced', () => {
  it('whether it exists or not, and is a link or not', async () => {
    const path = await fileIn();
    await symlink('nowhere', `${path}.link`);
    for (const at of [path, `${path}.absent`, `${path}.link`]) {
      await requireReplaceableFile(at, NO_MOUNTS);
      await requireReplaceableFile(at, null);
    }
  });

  it('unless it is a mount of its own, also behind a linked folder; another file or its folder may be', async () => {
    const folder = await scratchFolder();
    const path = await fileIn(folder);
    await requireReplaceableFile(path, mountedAt(folder));
    await requireReplaceableFile(path, mountedAt(`${path}.other`));
    const link = join(await scratchFolder(), 'link');
    await symlink(folder, link);
    for (const at of [path, join(link, 'file')]) {
      const failure = await failureOf(() => requireReplaceableFile(at, mountedAt(path)));
      expect(failure.code).toBe('FILE_NOT_PERMITTED');
      expect(failure.message).toBe(`${at} is a mount of its own, so it can't be replaced`);
    }
    const failure = await failureOf(() => requireMovableFile(path, mountedAt(path), 'renamed'));
    expect(failure.message).toContain("can't be renamed");
    expect(failure.hint).toContain(folder);
  });

  it('unless its temporary file is in the way, which is always replaced', async () => {
    const path = await fileIn();
    const temporary = temporaryPath(path);
    const mounted = await failureOf(() => requireReplaceableFile(path, mountedAt(temporary), 'renamed'));
    expect(mounted.message).toBe(`${temporary} is a mount of its own, so it can't be replaced`);
    await mkdir(temporary);
    const failure = await failureOf(() => requireReplaceableFile(path, NO_MOUNTS));
    expect([failure.code, failure.message]).toEqual([
      'DISK_ERROR',
      expect.stringContaining(`${temporary} is a folder`),
    ]);
  });

  it("unless it can't be looked at", async () => {
    const path = join(await scratchFolder(), 'x'.repeat(300));
    const failure = await failureOf(() => requireReplaceableFile(path, NO_MOUNTS));
    expect(failure.code).toBe('DISK_ERROR');
    expect(failure.message).toContain(`Could not look at ${path}`);
  });

  it.for(['i', 'a'] as const)('unless it has the flag %s, also for root', async (flag, context) => {
    const folder = await scratchFolder();
    const path = await fileIn(folder);
    if (!setFlag(flag, path)) return context.skip(NO_CHATTR);
    const failure = await failureOf(() => requireMovableFile(path, NO_MOUNTS, 'renamed'));
    expect(failure.code).toBe('FILE_NOT_PERMITTED');
    expect(failure.message).toBe(`${path} or its folder is immutable or append-only, so it can't be renamed`);
    expect(failure.hint).toBe(`Run: chattr -i -a ${folder} ${path}`);
  });

  it('unless its folder is immutable, which is named instead of the file', async (context) => {
    const folder = await scratchFolder();
    const path = await fileIn(folder);
    if (!setFlag('i', folder)) return context.skip(NO_CHATTR);
    const failure = await failureOf(() => requireMovableFile(path, NO_MOUNTS, 'renamed'));
    expect(failure.message).toContain(`Could not write to the folder ${folder}`);
  });

  describe('in a folder with the sticky bit', () => {
    /** A folder that every user can write to, and a file in it. */
    async function shared(folderMode: number, uid: number): Promise<string> {
      const folder = await scratchFolder();
      const path = await fileIn(folder);
      await chmod(folder, folderMode);
      await chown(path, uid, uid);
      return path;
    }

    it("only by the file's owner and by root", async (context) => {
      if (process.geteuid?.() !== 0) return context.skip(NO_CHOWN);
      const others = await shared(0o1777, 1234);
      await requireMovableFile(others, NO_MOUNTS, 'replaced');
      const failure = await failureOf(() => asOrdinaryUser(() => requireMovableFile(others, NO_MOUNTS, 'replaced')));
      expect(failure.code).toBe('FILE_NOT_PERMITTED');
      expect(failure.message).toBe(
        `${others} is owned by user 1234 in a folder with the sticky bit, so user 65534 can't replace, rename or remove it`,
      );
      for (const path of [await shared(0o1777, 65_534), await shared(0o777, 1234)]) {
        await asOrdinaryUser(() => requireMovableFile(path, NO_MOUNTS, 'replaced'));
      }
    });

    it.for([
      ["the user's own", 0o1777, 65_534, true],
      ["another user's, without the bit", 0o777, 1234, true],
      ["another user's, for root", 0o1777, 1234, false],
    ] as const)('a flag is not taken for the bit: %s', async ([, mode, uid, asUser], context) => {
      if (process.geteuid?.() !== 0) return context.skip(NO_CHOWN);
      const path = await shared(mode, uid);
      if (!setFlag('i', path)) return context.skip(NO_CHATTR);
      const attempt = () => requireMovableFile(path, NO_MOUNTS, 'replaced');
      const failure = await failureOf(() => (asUser ? asOrdinaryUser(attempt) : attempt()));
      expect(failure.message).toContain('is immutable or append-only');
    });
  });
});

describe('isFolder', () => {
  it('tells a folder from a file, a link to a folder and nothing', async () => {
    const folder = await scratchFolder();
    const path = await fileIn(folder);
    await symlink(folder, join(folder, 'link'));
    const found = await Promise.all([folder, path, join(folder, 'link'), join(folder, 'none')].map(isFolder));
    expect(found).toEqual([true, false, false, false]);
  });

  it('fails if it is not known', async () => {
    const path = join(await fileIn(), 'below');
    const failure = await failureOf(() => isFolder(path));
    expect([failure.code, failure.message]).toEqual(['DISK_ERROR', `Could not look at ${path}: ENOTDIR`]);
  });
});
