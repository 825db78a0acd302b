import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { link, mkdir, readdir, readFile, rm, stat, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openLineFile } from '../../src/files/appendLimited.ts';
import { asOrdinaryUser, makeFifo, put, scratchFolder } from '../config/scratch.ts';
import { MOUNT_REFUSED, mountedFolder } from '../support/mountedFolder.ts';
import { descriptorsBelow } from '../support/openDescriptors.ts';
import { isRoot } from '../support/unprivileged.ts';

const LIMIT = 20;
const read = (path: string): Promise<string> => readFile(path, 'utf8');
const logPath = async (): Promise<string> => join(await scratchFolder(), 'events.jsonl');

describe('openLineFile', () => {
  it('appends lines to an existing file', async () => {
    const path = await put(await logPath(), 'first\n');
    const lines = openLineFile(path, LIMIT);
    lines.append('second');
    lines.append('');
    lines.close();
    expect(await read(path)).toBe('first\nsecond\n\n');
  });

  it.each([
    [undefined, 0o600],
    [0o640, 0o640],
  ])('creates a file of mode %o as %o', async (asked, expected) => {
    const path = await logPath();
    openLineFile(path, LIMIT, asked === undefined ? undefined : { mode: asked }).close();
    expect((await stat(path)).mode & 0o777).toBe(expected);
  });

  it.runIf(isRoot)("gives root's files to the given owner, and keeps other owners", async () => {
    const path = await logPath();
    const owner = { uid: 65_534, gid: 65_533 };
    openLineFile(path, LIMIT).close();
    openLineFile(path, LIMIT, { mode: 0o600, owner }).close();
    expect(await stat(path)).toMatchObject(owner);
    openLineFile(path, LIMIT, { mode: 0o600, owner: { uid: 65_532, gid: 65_532 } }).close();
    expect(await stat(path)).toMatchObject(owner);
  });

  it('renames a full file, which replaces the one before', async () => {
    const path = await logPath();
    const lines = openLineFile(path, LIMIT);
    for (const line of ['0123456789', '1123456789', '2123456789', '3123456789']) lines.append(line);
    lines.close();
    expect(await read(path)).toBe('3123456789\n');
    expect(await read(`${path}.1`)).toBe('2123456789\n');
    expect(await readdir(join(path, '..'))).toHaveLength(2);
  });

  it('fills a file to its last byte', async () => {
    const path = await logPath();
    const lines = openLineFile(path, LIMIT);
    lines.append('123456789');
    lines.append('123456789');
    lines.close();
    expect((await stat(path)).size).toBe(LIMIT);
    expect(await readdir(join(path, '..'))).toEqual(['events.jsonl']);
  });

  it('renames a file that is already too large', async () => {
    const path = await put(await logPath(), 'x'.repeat(10 * LIMIT));
    const lines = openLineFile(path, LIMIT);
    lines.append('new');
    lines.close();
    expect(await read(path)).toBe('new\n');
  });

  it('leaves out a line that is longer than the limit', async () => {
    const path = await logPath();
    const lines = openLineFile(path, LIMIT);
    lines.append('x'.repeat(LIMIT));
    lines.append('short');
    lines.close();
    expect(await read(path)).toBe('short\n');
    expect(await readdir(join(path, '..'))).toEqual(['events.jsonl']);
  });

  it('keeps a line that is exactly as long as the limit', async () => {
    const path = await logPath();
    const lines = openLineFile(path, LIMIT);
    lines.append('x'.repeat(LIMIT - 1));
    lines.close();
    expect((await stat(path)).size).toBe(LIMIT);
  });

  it('appends nothing to a file with a second hard link, which another program may use', async () => {
    const path = await logPath();
    const other = await put(join(path, '..', 'other'), 'of another program');
    await link(other, path);
    const lines = openLineFile(path, 10 * LIMIT);
    lines.append('line');
    lines.close();
    expect(await read(other)).toBe('of another program');
  });

  it('never lets a file grow beyond the limit, for any lines, and splits no line', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.string({ unit: 'grapheme', maxLength: 30 }), { maxLength: 20 }), async (texts) => {
        const folder = await scratchFolder();
        const path = join(folder, 'events.jsonl');
        const written = texts.map((text) => text.replaceAll('\n', ' '));
        const lines = openLineFile(path, 3 * LIMIT);
        for (const line of written) lines.append(line);
        lines.close();
        const kept: string[] = [];
        for (const name of (await readdir(folder)).sort().reverse()) {
          const text = await read(join(folder, name));
          expect(Buffer.byteLength(text)).toBeLessThanOrEqual(3 * LIMIT);
          kept.push(...text.split('\n').slice(0, -1));
        }
        const fitting = written.filter((line) => Buffer.byteLength(line) < 3 * LIMIT);
        expect(kept).toEqual(kept.length === 0 ? [] : fitting.slice(-kept.length));
        await rm(folder, { recursive: true });
      }),
      { numRuns: 50 },
    );
  });

  it('closes its descriptor, also after a rename; a second close and later lines do nothing', async () => {
    const path = await logPath();
    const lines = openLineFile(path, LIMIT);
    for (let i = 0; i < 10; i += 1) lines.append('0123456789');
    expect(await descriptorsBelow(join(path, '..'))).toEqual([path]);
    lines.close();
    lines.close();
    lines.append('late');
    expect(await descriptorsBelow(join(path, '..'))).toEqual([]);
    expect(await read(path)).not.toContain('late');
  });
});

describe("a line file that can't be written", () => {
  it("drops lines while the full file can't be renamed, and writes to no other file", async () => {
    const path = await logPath();
    await mkdir(`${path}.1`);
    const lines = openLineFile(path, LIMIT);
    lines.append('0123456789');
    lines.append('dropped 89');
    // If the log's own descriptor were closed, this file would get its number and the next line.
    const other = openLineFile(join(path, '..', 'other'), LIMIT);
    lines.append('dropped 89');
    expect(await read(join(path, '..', 'other'))).toBe('');
    expect(await read(path)).toBe('0123456789\n');
    await rm(`${path}.1`, { recursive: true });
    lines.append('kept again');
    expect(await read(path)).toBe('kept again\n');
    lines.close();
    other.close();
  });

  it('stops when its folder is removed', async () => {
    const path = await logPath();
    const lines = openLineFile(path, LIMIT);
    lines.append('0123456789');
    await rm(join(path, '..'), { recursive: true });
    lines.append('0123456789');
    lines.append('0123456789');
    lines.close();
    expect(await descriptorsBelow(join(path, '..'))).toEqual([]);
  });

  it('stops when no new file can be created after the full one', async (context) => {
    // Two inodes: the folder and one file.
    const folder = await mountedFolder('nr_inodes=2');
    if (folder === undefined) return context.skip(MOUNT_REFUSED);
    const lines = openLineFile(join(folder, 'log'), LIMIT);
    for (let i = 0; i < 3; i += 1) lines.append('0123456789');
    lines.close();
    expect(await readdir(folder)).toEqual(['log.1']);
  });

  it('does nothing in a folder without write permission', async () => {
    const folder = await scratchFolder();
    execFileSync('chmod', ['555', folder]);
    await asOrdinaryUser(async () => {
      const lines = openLineFile(join(folder, 'log'), LIMIT);
      lines.append('x');
      lines.close();
    });
    expect(await readdir(folder)).toEqual([]);
  });

  it('does not follow a planted link', async () => {
    const path = await logPath();
    const victim = await put(join(await scratchFolder(), 'victim'), 'untouched');
    await symlink(victim, path);
    const lines = openLineFile(path, LIMIT);
    lines.append('x');
    lines.close();
    expect(await read(victim)).toBe('untouched');
  });

  it('does not hang on a FIFO without a reader', async () => {
    const path = await logPath();
    makeFifo(path);
    const lines = openLineFile(path, LIMIT);
    lines.append('x');
    lines.close();
  });

  it('writes nothing into a FIFO with a reader', async () => {
    const path = await logPath();
    makeFifo(path);
    const reader = spawn('cat', [path], { stdio: ['ignore', 'pipe', 'inherit'] });
    onTestFinished(() => void reader.kill('SIGKILL'));
    let received = '';
    reader.stdout.on('data', (chunk) => {
      received += String(chunk);
    });
    const ended = once(reader, 'close');
    // cat ends when the first writer closes. Until cat has opened the FIFO, our open fails, as above.
    let open = true;
    void ended.then(() => {
      open = false;
    });
    while (open) {
      const lines = openLineFile(path, LIMIT);
      lines.append('x');
      lines.close();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(received).toBe('');
    expect(await descriptorsBelow(path)).toEqual([]);
  });

  it('ignores a full disk', async (context) => {
    const folder = await mountedFolder('size=8k');
    if (folder === undefined) return context.skip(MOUNT_REFUSED);
    const path = join(folder, 'log');
    const lines = openLineFile(path, 1_000_000);
    for (let i = 0; i < 20; i += 1) lines.append('x'.repeat(1000));
    lines.close();
    expect((await stat(path)).size).toBeLessThanOrEqual(8192);
  });
});
