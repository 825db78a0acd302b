import {
  appendFileSync,
  closeSync,
  constants,
  fchownSync,
  fstatSync,
  ftruncateSync,
  lstatSync,
  openSync,
  renameSync,
} from 'node:fs';
import { errnoOf } from '../failures/fileFailure.ts';
import type { FileAttributes } from './durable.ts';
import { LineFileError, lineFileProblem, requireLineFile } from './lineFileProblem.ts';

/** Appends lines to a file of limited size. A full file is renamed to `<path>.1`. Nothing depends on these lines. */
export interface LineFile {
  /** Why the file can't be written, in words. undefined: the latest line is in the file. */
  readonly problem: string | undefined;
  append(line: string): void;
  /** The next line opens the file anew, without a pause after a failed try. */
  reopen(): void;
  close(): void;
}

interface OpenFile {
  readonly descriptor: number;
  readonly dev: bigint;
  readonly ino: bigint;
}

const FLAGS = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK;

function openFile(path: string, { mode, owner }: FileAttributes): OpenFile {
  const descriptor = openSync(path, FLAGS, mode);
  try {
    const stats = fstatSync(descriptor, { bigint: true });
    requireLineFile({ isRegular: stats.isFile(), links: Number(stats.nlink) });
    if (owner !== undefined && stats.uid === 0n) fchownSync(descriptor, owner.uid, owner.gid);
    return { descriptor, dev: stats.dev, ino: stats.ino };
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

/** Size of the file, if the path still names it: logrotate may have moved it. */
function sizeOf(path: string, { dev, ino }: OpenFile): number | undefined {
  const stats = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  return stats?.dev === dev && stats.ino === ino ? Number(stats.size) : undefined;
}

function setAsideFull(path: string): void {
  try {
    renameSync(path, `${path}.1`);
  } catch (error) {
    throw new LineFileError(`it is full, and can't be renamed to ${path}.1: ${errnoOf(error)}`);
  }
}

/** Appends all or nothing: a full disk must not leave a part of a line. */
function appendWhole({ descriptor }: OpenFile, size: number, bytes: Uint8Array): void {
  try {
    appendFileSync(descriptor, bytes);
  } catch (error) {
    ftruncateSync(descriptor, size);
    throw error;
  }
}

/**
 * Opens a line file. Disk errors do not throw, because a log that can't be written must not end a run: `problem` has the
 * reason. A later line tries again. A file that another program moves or removes is created anew.
 * @param maxBytes size at which the file is renamed to `<path>.1`; a longer line is left out
 * @param attributes of a new file; `owner` (see `folderOwner`) also replaces root as owner of an existing file
 * @param retryMs least time between two tries; lines in between are left out
 */
export function openLineFile(
  path: string,
  maxBytes: number,
  attributes: FileAttributes = { mode: 0o600 },
  retryMs = 0,
): LineFile {
  let file: OpenFile | undefined;
  let problem: string | undefined;
  let retryAt = 0;
  let isClosed = false;

  const drop = (): void => {
    const former = file;
    file = undefined;
    try {
      if (former !== undefined) closeSync(former.descriptor);
    } catch {
      // The descriptor is closed also after an error.
    }
  };
  const attempt = (work: () => void): void => {
    try {
      work();
      problem = undefined;
    } catch (error) {
      problem = lineFileProblem(error);
      retryAt = performance.now() + retryMs;
      drop();
    }
  };
  const open = (): OpenFile => {
    drop();
    file = openFile(path, attributes);
    return file;
  };
  const write = (bytes: Uint8Array): void => {
    let current = file ?? open();
    let size = sizeOf(path, current);
    if (size === undefined) {
      current = open();
      size = sizeOf(path, current) ?? 0;
    }
    if (size + bytes.length > maxBytes) {
      setAsideFull(path);
      current = open();
      size = 0;
    }
    appendWhole(current, size, bytes);
  };

  attempt(open);
  return {
    get problem() {
      return problem;
    },
    append(line) {
      const bytes = Buffer.from(`${line}\n`);
      if (isClosed || bytes.length > maxBytes) return;
      if (problem === undefined || performance.now() >= retryAt) attempt(() => write(bytes));
    },
    reopen() {
      drop();
      retryAt = 0;
    },
    close() {
      isClosed = true;
      drop();
    },
  };
}
