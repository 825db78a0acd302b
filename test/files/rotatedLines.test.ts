/** A line file whose file is moved, removed or emptied by another program, and one that becomes writable again. */
import { mkdir, readdir, readFile, rename, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { type LineFile, openLineFile } from '../../src/files/appendLimited.ts';
import { scratchFolder } from '../config/scratch.ts';
import { MOUNT_REFUSED, mountedFolder } from '../support/mountedFolder.ts';
import { descriptorsBelow } from '../support/openDescriptors.ts';

const LIMIT = 20;
const RETRY_MS = 1000;
const read = (path: string): Promise<string> => readFile(path, 'utf8');

/** A line file with one line, `first`. */
async function startedLog(): Promise<{ path: string; lines: LineFile }> {
  const path = join(await scratchFolder(), 'log');
  const lines = openLineFile(path, LIMIT, { mode: 0o640 });
  onTestFinished(() => lines.close());
  lines.append('first');
  return { path, lines };
}

describe('the next line of a file', () => {
  it('that was moved goes to a new file with the mode of the old one', async () => {
    const { path, lines } = await startedLog();
    await rename(path, `${path}-old`);
    lines.append('second');
    lines.append('third');
    expect([await read(`${path}-old`), await read(path)]).toEqual(['first\n', 'second\nthird\n']);
    expect((await stat(path)).mode & 0o777).toBe(0o640);
    expect(await descriptorsBelow(dirname(path))).toEqual([path]);
  });

  it('that another program replaced goes to the new file', async () => {
    const { path, lines } = await startedLog();
    await rename(path, `${path}-old`);
    await writeFile(path, 'created\n');
    lines.append('second');
    expect(await read(path)).toBe('created\nsecond\n');
  });

  it('that was removed goes to a new file', async () => {
    const { path, lines } = await startedLog();
    await rm(path);
    lines.append('second');
    expect(await read(path)).toBe('second\n');
  });

  it('that was emptied comes first in it, and the whole limit is free again', async () => {
    const { path, lines } = await startedLog();
    lines.append('0123456789');
    await truncate(path);
    lines.append('0123456789');
    lines.append('12345678');
    expect(await read(path)).toBe('0123456789\n12345678\n');
    expect(await readdir(dirname(path))).toEqual(['log']);
  });

  it('that was replaced by a link does not go to the link', async () => {
    const { path, lines } = await startedLog();
    const victim = join(await scratchFolder(), 'victim');
    await writeFile(victim, '');
    await rename(path, `${path}-old`);
    await symlink(victim, path);
    lines.append('second');
    expect(lines.problem).toBe('ELOOP (it is a symbolic link)');
    expect([await read(victim), await read(`${path}-old`)]).toEqual(['', 'first\n']);
  });
});

describe("a file that can't be written for a while", () => {
  it('is tried again after the pause, or after reopen', async () => {
    const now = vi.spyOn(performance, 'now').mockReturnValue(0);
    onTestFinished(() => now.mockRestore());
    const path = join(await scratchFolder(), 'logs', 'log');
    const lines = openLineFile(path, 1000, { mode: 0o600 }, RETRY_MS);
    onTestFinished(() => lines.close());
    await mkdir(dirname(path));
    now.mockReturnValue(RETRY_MS - 1);
    lines.append('too early');
    expect(lines.problem).toBe('ENOENT (its folder does not exist)');
    now.mockReturnValue(RETRY_MS);
    lines.append('after the pause');
    expect(lines.problem).toBeUndefined();

    await rm(dirname(path), { recursive: true });
    lines.append('lost');
    await mkdir(dirname(path));
    lines.append('lost');
    expect(lines.problem).toBe('ENOENT (its folder does not exist)');
    lines.reopen();
    lines.append('after reopen');
    expect(lines.problem).toBeUndefined();
    expect(await read(path)).toBe('after reopen\n');
  });

  it('on a full disk keeps whole lines, and gets the next line once there is space', async (context) => {
    const folder = await mountedFolder('size=8k');
    if (folder === undefined) return context.skip(MOUNT_REFUSED);
    const path = join(folder, 'log');
    await writeFile(join(folder, 'other'), 'x'.repeat(4096));
    const lines = openLineFile(path, 1_000_000);
    onTestFinished(() => lines.close());
    for (let i = 0; i < 5; i += 1) lines.append('x'.repeat(999));
    expect(lines.problem).toBe('ENOSPC (no space left)');
    expect(await read(path)).toBe(`${'x'.repeat(999)}\n`.repeat(4));
    await rm(join(folder, 'other'));
    lines.append('space');
    expect(lines.problem).toBeUndefined();
    expect((await read(path)).slice(-8)).toBe('x\nspace\n');
  });

  it("names the second file when the full one can't be renamed", async () => {
    const { path, lines } = await startedLog();
    await mkdir(`${path}.1`);
    lines.append('01234567890123');
    expect(lines.problem).toBe(`it is full, and can't be renamed to ${path}.1: EISDIR`);
  });
});
