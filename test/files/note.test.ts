import { execFileSync } from 'node:child_process';
import { chown, readdir, readFile, stat, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { leaveNote, removeNote } from '../../src/files/note.ts';
import { asOrdinaryUser, makeFifo, put, scratchFolder } from '../config/scratch.ts';
import { MOUNT_REFUSED, mountedFolder } from '../support/mountedFolder.ts';
import { descriptorsBelow } from '../support/openDescriptors.ts';
import { isRoot } from '../support/unprivileged.ts';

const notePath = async (): Promise<string> => join(await scratchFolder(), 'lock');

describe('leaveNote', () => {
  it('replaces an older note, with access for the owner only', async () => {
    const path = await notePath();
    await leaveNote(path, 'an older and longer one');
    await leaveNote(path, '4711\n');
    expect(await readFile(path, 'utf8')).toBe('4711\n');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await descriptorsBelow(path)).toEqual([]);
  });

  it('does not follow a planted link', async () => {
    const path = await notePath();
    const victim = await put(join(await scratchFolder(), 'victim'), 'untouched');
    await symlink(victim, path);
    await leaveNote(path, 'x');
    expect(await readFile(victim, 'utf8')).toBe('untouched');
  });

  it('does not hang on a FIFO', async () => {
    const path = await notePath();
    makeFifo(path);
    await leaveNote(path, 'x');
  });

  it.runIf(isRoot)('has the owner of its folder', async () => {
    const path = await notePath();
    await chown(dirname(path), 65_534, 65_533);
    await leaveNote(path, 'x');
    expect(await stat(path)).toMatchObject({ uid: 65_534, gid: 65_533 });
  });

  it('ignores a missing folder', async () => {
    const path = join(await notePath(), 'none', 'lock');
    await leaveNote(path, 'x');
    await expect(stat(path)).rejects.toThrow('ENOENT');
  });

  it('ignores missing write permission', async () => {
    const folder = await scratchFolder();
    execFileSync('chmod', ['555', folder]);
    await asOrdinaryUser(() => leaveNote(join(folder, 'lock'), 'x'));
    expect(await readdir(folder)).toEqual([]);
  });

  it('ignores a full disk', async (context) => {
    const folder = await mountedFolder('size=4k');
    if (folder === undefined) return context.skip(MOUNT_REFUSED);
    await put(join(folder, 'all'), Buffer.alloc(4096));
    await leaveNote(join(folder, 'lock'), 'x');
    expect(await descriptorsBelow(folder)).toEqual([]);
  });
});

describe('removeNote', () => {
  it('removes a note, and ignores an absent one', async () => {
    const path = await notePath();
    await leaveNote(path, 'x');
    await removeNote(path);
    await removeNote(path);
    expect(await readdir(join(path, '..'))).toEqual([]);
  });
});
