import { access, constants, lstat, open, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errnoOf, isENOENT } from '../failures/fileFailure.ts';

/** Lines must not be appended to a file. The message is the reason, in words. */
export class LineFileError extends Error {}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EDQUOT: 'no space left',
  EISDIR: 'it is a folder',
  ELOOP: 'it is a symbolic link',
  ENOENT: 'its folder does not exist',
  ENOSPC: 'no space left',
  ENOTDIR: 'a part of its path is not a folder',
  ENXIO: 'it is not a regular file',
  EPERM: 'permission denied',
  EROFS: 'the file system is mounted read-only',
};

/** Why lines can't be appended to a file, in words: `EACCES (permission denied)`. */
export function lineFileProblem(error: unknown): string {
  if (error instanceof LineFileError) return error.message;
  const errno = errnoOf(error) ?? 'unknown error';
  const reason = REASONS[errno];
  return reason === undefined ? errno : `${errno} (${reason})`;
}

/** @throws LineFileError for a FIFO or device, and for a file that another program may use */
export function requireLineFile({ isRegular, links }: { isRegular: boolean; links: number }): void {
  if (!isRegular) throw new LineFileError('it is not a regular file');
  if (links !== 1) throw new LineFileError('it has a second hard link');
}

async function tryWithoutChange(path: string): Promise<void> {
  const folder = dirname(path);
  const stats = await lstat(path).catch((error: unknown) => {
    if (!isENOENT(error)) throw error;
  });
  if (stats === undefined) await access(folder, constants.W_OK | constants.X_OK);
  else {
    // A FIFO or device is not opened, because its reader would notice.
    if (!stats.isSymbolicLink() && !stats.isDirectory()) {
      requireLineFile({ isRegular: stats.isFile(), links: stats.nlink });
    }
    const handle = await open(path, constants.O_WRONLY | constants.O_APPEND | constants.O_NOFOLLOW);
    await handle.close();
  }
  const { blocks, bavail } = await statfs(folder);
  if (blocks > 0 && bavail === 0) throw new LineFileError('no space left');
}

/** Why lines could not be appended to a file, as far as can be known without a change. undefined: no reason is known. */
export async function foreseenLineFileProblem(path: string): Promise<string | undefined> {
  return tryWithoutChange(path).then(() => undefined, lineFileProblem);
}
