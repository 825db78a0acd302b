import type { Stats } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';

/** What is read of a file at one time, from its end, in bytes: the last values are what counts. */
export const MAX_NEW_BYTES = 1024 * 1024;
/** How many bytes before the place reached must still be the same for the file to count as appended to. */
const KNOWN_BYTES = 64;

export interface NewContent {
  /** Whether it goes on where the last reading ended; false: other content, or some was skipped. */
  readonly continues: boolean;
  readonly bytes: Buffer;
}

async function readAt(handle: FileHandle, start: number, end: number): Promise<Buffer> {
  const buffer = Buffer.alloc(Math.max(0, end - start));
  let filled = 0;
  while (filled < buffer.length) {
    const { bytesRead } = await handle.read(buffer, filled, buffer.length - filled, start + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}

/**
 * Reads what a file has gained since the last call. Tells a file that was appended to from one that was truncated,
 * written anew in place (also with more or equally many bytes) or replaced by another.
 */
export function createGrowingFile(): (handle: FileHandle, stats: Stats) => Promise<NewContent> {
  let seen: { readonly ino: number; readonly mtimeMs: number; readonly offset: number } | undefined;
  let known = Buffer.alloc(0);

  async function isAppended(handle: FileHandle, stats: Stats): Promise<boolean> {
    if (seen === undefined || seen.ino !== stats.ino || stats.size < seen.offset) return false;
    // The same size at another time: nothing was appended, so it must have been written anew.
    if (stats.size === seen.offset && stats.mtimeMs !== seen.mtimeMs) return false;
    const now = await readAt(handle, seen.offset - known.length, seen.offset);
    return now.equals(known);
  }

  return async (handle, stats) => {
    const appended = await isAppended(handle, stats);
    const from = appended && seen !== undefined ? seen.offset : 0;
    const start = Math.max(from, stats.size - MAX_NEW_BYTES);
    const bytes = await readAt(handle, start, stats.size);
    const offset = start + bytes.length;
    const recent = appended && start === from ? Buffer.concat([known, bytes]) : bytes;
    known = Buffer.from(recent.subarray(-KNOWN_BYTES));
    seen = { ino: stats.ino, mtimeMs: stats.mtimeMs, offset };
    if (start === from) return { continues: appended, bytes };
    // Some was skipped, and with it the beginning of the first line.
    return { continues: false, bytes: bytes.subarray(bytes.indexOf(0x0a) + 1) };
  };
}
