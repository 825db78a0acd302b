/** Why a file can't be written: a log that is opened and a check without a change say the same. */
import { execFileSync } from 'node:child_process';
import { chmod, link, lstat, mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openLineFile } from '../../src/files/appendLimited.ts';
import { foreseenLineFileProblem } from '../../src/files/lineFileProblem.ts';
import { asOrdinaryUser, makeFifo, scratchFolder } from '../config/scratch.ts';
import { MOUNT_REFUSED, mountedFolder } from '../support/mountedFolder.ts';

/** What the log says about a path. */
function problemOf(path: string): string | undefined {
  const lines = openLineFile(path, 1000);
  lines.append('x');
  lines.close();
  return lines.problem;
}

/** Expects the same reason of the check, which changes nothing, and of the log. */
async function expectProblem(path: string, reason: string | undefined): Promise<void> {
  const look = () => Promise.all([path, dirname(path)].map((each) => lstat(each).catch(() => undefined)));
  const before = await look();
  expect(await foreseenLineFileProblem(path)).toBe(reason);
  expect((await look()).map((stats) => stats?.mtimeMs)).toEqual(before.map((stats) => stats?.mtimeMs));
  expect(problemOf(path)).toBe(reason);
}

const SITUATIONS: readonly [what: string, reason: string, make: (path: string) => unknown][] = [
  ['is a folder', 'EISDIR (it is a folder)', (path) => mkdir(path)],
  ['is a link to nowhere', 'ELOOP (it is a symbolic link)', (path) => symlink('/nowhere/log', path)],
  [
    'has a second hard link',
    'it has a second hard link',
    async (path) => {
      await writeFile(path, '');
      await link(path, `${path}-other`);
    },
  ],
];

describe('a log file', () => {
  it('is writable, whether it exists or not', async () => {
    const path = join(await scratchFolder(), 'log');
    await expectProblem(path, undefined);
    await expectProblem(path, undefined);
  });

  it.each(SITUATIONS)('that %s is not written: %s', async (_what, reason, make) => {
    const path = join(await scratchFolder(), 'log');
    await make(path);
    await expectProblem(path, reason);
  });

  it('without its folder is not written', async () => {
    const folder = await scratchFolder();
    await expectProblem(join(folder, 'logs', 'log'), 'ENOENT (its folder does not exist)');
    await writeFile(join(folder, 'logs'), '');
    await expectProblem(join(folder, 'logs', 'log'), 'ENOTDIR (a part of its path is not a folder)');
  });

  it('that is a FIFO is not opened by the check', async () => {
    const path = join(await scratchFolder(), 'log');
    makeFifo(path);
    expect(await foreseenLineFileProblem(path)).toBe('it is not a regular file');
    expect(problemOf(path)).toBe('ENXIO (it is not a regular file)');
  });

  it('without permission for it or its folder is not written', async () => {
    const folder = await scratchFolder();
    const path = join(folder, 'log');
    await writeFile(path, '');
    await chmod(path, 0o444);
    execFileSync('chmod', ['555', folder]);
    await asOrdinaryUser(async () => {
      await expectProblem(path, 'EACCES (permission denied)');
      // access(2) asks for the real user, which is root here.
      expect(problemOf(join(folder, 'new'))).toBe('EACCES (permission denied)');
    });
  });

  it('on a file system that is mounted read-only is not written', async (context) => {
    const folder = await mountedFolder('ro');
    if (folder === undefined) return context.skip(MOUNT_REFUSED);
    await expectProblem(join(folder, 'log'), 'EROFS (the file system is mounted read-only)');
  });

  it('on a full disk is not written', async (context) => {
    const folder = await mountedFolder('size=4k');
    if (folder === undefined) return context.skip(MOUNT_REFUSED);
    await writeFile(join(folder, 'log'), 'x'.repeat(4096));
    expect(await foreseenLineFileProblem(join(folder, 'log'))).toBe('no space left');
    expect(problemOf(join(folder, 'log'))).toBe('ENOSPC (no space left)');
  });
});
