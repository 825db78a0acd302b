import type { Stats } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';

/** The most bytes that one call reads, from the end of the file: only the last values are needed. */
const MAX_NEW_BYTES = 1024 * 1024;
/** The number of bytes before the last read position that must be unchanged for a file that was only appended to. */
const KNOWN_BYTES = 64;

export interface NewContent {
  /** Whether the bytes directly follow those of the last call; false: new content, or bytes were skipped. */
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
 * Reads the bytes that were added to a file since the last call. It detects a file that was truncated, rewritten in
 * place (even with the same or a larger size) or replaced by another file.
 */
export function createGrowingFile(): (handle: FileHandle, stats: Stats) => Promise<NewContent> {
  let seen: { readonly ino: number; readonly mtimeMs: number; readonly offset: number } | undefined;
  let known = Buffer.alloc(0);

  async function isAppended(handle: FileHandle, stats: Stats): Promise<boolean> {
    if (seen === undefined || seen.ino !== stats.ino || stats.size < seen.offset) return false;
    // Same size but another time: nothing was appended, so the file was rewritten.
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
    // The start of the first line may have been skipped, so that line is dropped.
    return { continues: false, bytes: bytes.subarray(bytes.indexOf(0x0a) + 1) };
  };
}
