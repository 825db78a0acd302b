import { chmod, mkdir, readdir, readFile, stat, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { durableCreate } from '../../src/files/durableCreate.ts';
import { asOrdinaryUser, failureOf, put, scratchFolder } from '../config/scratch.ts';
import { descriptorsBelow } from '../support/openDescriptors.ts';
import { isRoot } from '../support/unprivileged.ts';

const MODE = { mode: 0o600 };

describe('durableCreate', () => {
  it('creates an empty file with its mode, and leaves nothing open', async () => {
    const folder = await scratchFolder();
    const path = join(folder, 'provision.txt');
    expect(await durableCreate(path, MODE)).toBe(true);
    expect([await readFile(path, 'utf8'), (await stat(path)).mode & 0o7777]).toEqual(['', 0o600]);
    expect(await readdir(folder)).toEqual(['provision.txt']);
    expect(await descriptorsBelow(folder)).toEqual([]);
  });

  it('changes nothing where there is a file, a folder or a link, also one without a target', async () => {
    const folder = await scratchFolder();
    const path = await put(join(folder, 'file.json'), 'old');
    expect(await durableCreate(path, MODE)).toBe(false);
    expect(await readFile(path, 'utf8')).toBe('old');
    await mkdir(join(folder, 'folder'));
    await symlink(join(folder, 'nothing'), join(folder, 'link'));
    for (const name of ['folder', 'link']) expect(await durableCreate(join(folder, name), MODE)).toBe(false);
    expect((await readdir(folder)).sort()).toEqual(['file.json', 'folder', 'link']);
  });

  it.skipIf(!isRoot)('leaves no file when its owner can not be set', async () => {
    const folder = await scratchFolder();
    await chmod(folder, 0o777);
    const given = { ...MODE, owner: { uid: 1, gid: 1 } };
    const failure = await asOrdinaryUser(() => failureOf(() => durableCreate(join(folder, 'file'), given)));
    expect(failure.code).toBe('FILE_NOT_PERMITTED');
    expect(await readdir(folder)).toEqual([]);
  });
});
