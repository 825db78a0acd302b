import { once } from 'node:events';
import { appendFile, type FileHandle, mkdir, open, symlink } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { readLimited } from '../../src/files/readLimited.ts';
import { asOrdinaryUser, makeFifo, put, scratchFolder } from '../config/scratch.ts';
import { descriptorsBelow } from '../support/openDescriptors.ts';

const LIMIT = 100;

/** Another program appends to the file right after its size was read. */
async function appendAfterStat(path: string, text: string): Promise<void> {
  const handle = await open(path);
  const { stat } = handle;
  const prototype: FileHandle = Object.getPrototypeOf(handle);
  await handle.close();
  const spy = vi.spyOn(prototype, 'stat').mockImplementationOnce(async function (this: FileHandle) {
    const stats = await stat.call(this);
    await appendFile(path, text);
    return stats;
  });
  onTestFinished(() => spy.mockRestore());
}

describe('readLimited', () => {
  it.each([0, 1, LIMIT])('reads a file of %i bytes, with its owner and mode', async (size) => {
    const folder = await scratchFolder();
    const path = await put(join(folder, 'file'), Buffer.alloc(size, 'x'), 0o640);
    expect(await readLimited(path, LIMIT)).toEqual({
      ok: true,
      bytes: Buffer.alloc(size, 'x'),
      uid: process.geteuid?.(),
      gid: process.getegid?.(),
      mode: 0o640,
    });
    expect(await descriptorsBelow(folder)).toEqual([]);
  });

  it('reads a large file completely', async () => {
    const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, index) => index % 251));
    const path = await put(join(await scratchFolder(), 'file'), bytes);
    const result = await readLimited(path, 300_000);
    expect(result.ok && result.bytes.equals(bytes)).toBe(true);
  });

  it('refuses a file of one byte more than the limit', async () => {
    const folder = await scratchFolder();
    const path = await put(join(folder, 'file'), Buffer.alloc(LIMIT + 1));
    expect(await readLimited(path, LIMIT)).toEqual({ ok: false, problem: 'too-large' });
    expect(await descriptorsBelow(folder)).toEqual([]);
  });

  it('refuses a file that grows beyond the limit while it is read', async () => {
    // It reports size 0 and never ends, like a file that grows after stat.
    expect(await readLimited('/proc/self/maps', LIMIT)).toEqual({ ok: false, problem: 'too-large' });
  });

  it.each([
    ['a few bytes', 1, 100],
    ['a chunk or more', 65_536, 200_000],
  ])('takes what is appended after the look at its size: %s', async (_what, size, limit) => {
    const path = await put(join(await scratchFolder(), 'file'), 'a'.repeat(size));
    await appendAfterStat(path, 'b'.repeat(size));
    const expected = Buffer.from('a'.repeat(size) + 'b'.repeat(size));
    expect(await readLimited(path, limit)).toMatchObject({ ok: true, bytes: expected });
  });

  it('refuses appended content beyond the limit', async () => {
    const path = await put(join(await scratchFolder(), 'file'), 'a');
    await appendAfterStat(path, 'b'.repeat(LIMIT));
    expect(await readLimited(path, LIMIT)).toEqual({ ok: false, problem: 'too-large' });
  });

  it.each(['none', join('none', 'file')])('reports "%s" as absent', async (name) => {
    const folder = await scratchFolder();
    expect(await readLimited(join(folder, name), LIMIT)).toMatchObject({ ok: false, problem: 'absent' });
  });

  it('reports a dangling link as absent', async () => {
    const folder = await scratchFolder();
    await symlink(join(folder, 'nowhere'), join(folder, 'link'));
    expect(await readLimited(join(folder, 'link'), LIMIT)).toMatchObject({ ok: false, problem: 'absent' });
  });

  it('follows a link, unless told not to', async () => {
    const folder = await scratchFolder();
    await symlink(await put(join(folder, 'file'), 'x'), join(folder, 'link'));
    expect(await readLimited(join(folder, 'link'), LIMIT)).toMatchObject({ ok: true });
    expect(await readLimited(join(folder, 'link'), LIMIT, false)).toMatchObject({ ok: false, problem: 'not-a-file' });
  });

  it('refuses a folder', async () => {
    const folder = await scratchFolder();
    expect(await readLimited(folder, LIMIT)).toEqual({ ok: false, problem: 'not-a-file' });
    expect(await descriptorsBelow(folder)).toEqual([]);
  });

  it('refuses a path below a file', async () => {
    const path = await put(join(await scratchFolder(), 'file'), '');
    expect(await readLimited(join(path, 'x'), LIMIT)).toMatchObject({ ok: false, problem: 'not-a-file' });
  });

  it('does not hang on a FIFO', async () => {
    const folder = await scratchFolder();
    makeFifo(join(folder, 'fifo'));
    expect(await readLimited(join(folder, 'fifo'), LIMIT)).toEqual({ ok: false, problem: 'not-a-file' });
  });

  it('refuses a device', async () => {
    expect(await readLimited('/dev/zero', LIMIT)).toEqual({ ok: false, problem: 'not-a-file' });
  });

  it('refuses a socket', async () => {
    const path = join(await scratchFolder(), 'socket');
    const server = createServer().listen(path);
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    expect(await readLimited(path, LIMIT)).toMatchObject({ ok: false, problem: 'not-a-file' });
  });

  it('refuses links in a circle', async () => {
    const folder = await scratchFolder();
    await symlink(join(folder, 'a'), join(folder, 'b'));
    await symlink(join(folder, 'b'), join(folder, 'a'));
    expect(await readLimited(join(folder, 'a'), LIMIT)).toMatchObject({ ok: false, problem: 'not-a-file' });
  });

  it('reports a file without read permission', async () => {
    const path = await put(join(await scratchFolder(), 'file'), 'x', 0o000);
    const result = await asOrdinaryUser(() => readLimited(path, LIMIT));
    expect(result).toMatchObject({ ok: false, problem: 'not-permitted', cause: { code: 'EACCES' } });
  });

  it('reports a folder without permission', async () => {
    const folder = join(await scratchFolder(), 'closed');
    await mkdir(folder, { mode: 0o000 });
    const result = await asOrdinaryUser(() => readLimited(join(folder, 'file'), LIMIT));
    expect(result).toMatchObject({ ok: false, problem: 'not-permitted' });
  });

  it('reports any other error as unreadable, with its cause', async () => {
    const path = join(await scratchFolder(), 'x'.repeat(300));
    expect(await readLimited(path, LIMIT)).toMatchObject({
      ok: false,
      problem: 'unreadable',
      cause: { code: 'ENAMETOOLONG' },
    });
  });
});
