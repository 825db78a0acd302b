import { appendFileSync, closeSync, constants, fchownSync, fstatSync, openSync, renameSync } from 'node:fs';
import type { FileAttributes } from './durable.ts';

/** Appends lines to a file of limited size. A full file is renamed to `<path>.1`. Nothing depends on these lines. */
export interface LineFile {
  append(line: string): void;
  close(): void;
}

const FLAGS = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * Opens a line file. Disk errors are ignored on purpose: a log that can't be written must not end a run.
 * @param maxBytes size at which the file is renamed to `<path>.1`; a longer line is left out
 * @param attributes of a new file; `owner` (see `folderOwner`) also replaces root as owner of an existing file
 */
export function openLineFile(
  path: string,
  maxBytes: number,
  { mode, owner }: FileAttributes = { mode: 0o600 },
): LineFile {
  let descriptor: number | undefined;
  let size = 0;
  const reopen = (): void => {
    descriptor = undefined;
    try {
      descriptor = openSync(path, FLAGS, mode);
      const stats = fstatSync(descriptor);
      size = stats.size;
      // With a second hard link the file may belong to another program.
      if (stats.isFile() && stats.nlink === 1) {
        if (owner !== undefined && stats.uid === 0) fchownSync(descriptor, owner.uid, owner.gid);
        return;
      }
      closeSync(descriptor);
      descriptor = undefined;
    } catch {
      // As the docstring says.
    }
  };
  reopen();
  return {
    append(line) {
      if (descriptor === undefined) return;
      const bytes = Buffer.from(`${line}\n`);
      if (bytes.length > maxBytes) return;
      try {
        if (size + bytes.length > maxBytes) {
          // Rename first: if it fails, the descriptor stays open. The number of a closed one may be reused for another file.
          renameSync(path, `${path}.1`);
          closeSync(descriptor);
          reopen();
          if (descriptor === undefined) return;
        }
        appendFileSync(descriptor, bytes);
        size += bytes.length;
      } catch {
        // As the docstring says.
      }
    },
    close() {
      if (descriptor !== undefined) closeSync(descriptor);
      descriptor = undefined;
    },
  };
}
