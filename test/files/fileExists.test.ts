import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fileExists } from '../../src/files/fileExists.ts';
import { failureOf, put, scratchFolder } from '../config/scratch.ts';

describe('fileExists', () => {
  it('finds a file, a folder, and a dangling link', async () => {
    const folder = await scratchFolder();
    await put(join(folder, 'file'), '');
    await mkdir(join(folder, 'sub'));
    await symlink(join(folder, 'nowhere'), join(folder, 'link'));
    for (const name of ['file', 'sub', 'link']) expect(await fileExists(join(folder, name))).toBe(true);
  });

  it('finds nothing at an absent path, also without the folder', async () => {
    const folder = await scratchFolder();
    expect(await fileExists(join(folder, 'none'))).toBe(false);
    expect(await fileExists(join(folder, 'none', 'file'))).toBe(false);
  });

  it("fails for a path that can't be read: it may not be absent", async () => {
    const path = join(await put(join(await scratchFolder(), 'file'), ''), 'below');
    expect(await failureOf(() => fileExists(path))).toMatchObject({
      code: 'DISK_ERROR',
      message: `Could not look at ${path}: ENOTDIR`,
    });
  });
});
