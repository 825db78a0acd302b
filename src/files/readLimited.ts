import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { errnoOf, isENOENT } from '../failures/fileFailure.ts';

/** Why a file could not be read. The caller turns it into a failure. */
export type ReadProblem = 'absent' | 'not-a-file' | 'too-large' | 'not-permitted' | 'unreadable';

export type ReadResult =
  | { readonly ok: true; readonly bytes: Buffer; readonly uid: number; readonly gid: number; readonly mode: number }
  | { readonly ok: false; readonly problem: ReadProblem; readonly cause?: unknown };

function problemOf(error: unknown): ReadProblem {
  if (isENOENT(error)) return 'absent';
  const errno = errnoOf(error);
  if (errno === 'EACCES' || errno === 'EPERM') return 'not-permitted';
  if (errno === 'EISDIR' || errno === 'ENXIO' || errno === 'ELOOP' || errno === 'ENOTDIR') return 'not-a-file';
  return 'unreadable';
}

/**
 * Reads a complete plain file of limited size. Opens it without blocking, so that a FIFO or device can't hang the agent.
 * A dangling link counts as absent.
 * @param maxBytes the largest size that is accepted
 * @param follow whether a symbolic link is followed (default) or counts as `not-a-file`
 */
export async function readLimited(path: string, maxBytes: number, follow = true): Promise<ReadResult> {
  try {
    const flags = constants.O_RDONLY | constants.O_NONBLOCK | (follow ? 0 : constants.O_NOFOLLOW);
    const handle = await open(path, flags);
    try {
      const stats = await handle.stat();
      if (!stats.isFile()) return { ok: false, problem: 'not-a-file' };
      if (stats.size > maxBytes) return { ok: false, problem: 'too-large' };
      const bytes = await readAtMost(handle, stats.size, maxBytes);
      if (bytes === undefined) return { ok: false, problem: 'too-large' };
      return { ok: true, bytes, uid: stats.uid, gid: stats.gid, mode: stats.mode & 0o7777 };
    } finally {
      await handle.close();
    }
  } catch (error) {
    return { ok: false, problem: problemOf(error), cause: error };
  }
}

/** Largest buffer. Allocating a larger one costs more than a second read. */
const MAX_CHUNK_BYTES = 65_536;

/**
 * Reads to the end of the file, which may grow meanwhile. undefined: the file is longer than the limit.
 * @param size reported by the file system; virtual files (/proc) report size 0
 */
async function readAtMost(
  handle: Awaited<ReturnType<typeof open>>,
  size: number,
  maxBytes: number,
): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  // One byte more than the reported size: a short read then shows the end without another read.
  const chunkBytes = Math.min(size === 0 ? MAX_CHUNK_BYTES : size + 1, MAX_CHUNK_BYTES, maxBytes + 1);
  let total = 0;
  for (;;) {
    const chunk = Buffer.allocUnsafe(chunkBytes);
    const { bytesRead } = await handle.read(chunk, 0, chunk.length, null);
    total += bytesRead;
    if (total > maxBytes) return undefined;
    chunks.push(chunk.subarray(0, bytesRead));
    if (bytesRead === 0 || (total === size && bytesRead < chunk.length)) return Buffer.concat(chunks);
  }
}
