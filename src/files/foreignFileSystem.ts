import { constants } from 'node:fs';
import { open, realpath, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileFailure, isENOENT } from '../failures/fileFailure.ts';
import { type Mount, mountOf } from './mountTable.ts';

/** Types of file systems whose format, server or mount options decide about modes and owners. */
const MAY_REFUSE = /^(fuse|nfs|cifs|smb|9p|virtiofs|vfat|msdos|exfat|ntfs|hfs|vboxsf)/;
/** Types without modes of their own: chmod has no effect there. `fuseblk` is NTFS or exFAT. */
const WITHOUT_MODES = /^(vfat|msdos|exfat|ntfs3?|fuseblk|hfs|vboxsf)$/;

/** Types whose inode numbers may change while a file stays. */
const FLEETING_INODES = /^(fuse|cifs|smb|vfat|msdos|exfat|ntfs|hfs|vboxsf)/;

export const isWithoutModes = (fileSystem: string): boolean => WITHOUT_MODES.test(fileSystem);
export const hasFleetingInodes = (fileSystem: string): boolean => FLEETING_INODES.test(fileSystem);

/**
 * Sets the mode and the owner that a file or folder already has: file systems that refuse changes refuse this too. Does
 * nothing on file systems that accept every change, for a path that only its owner can access, and for other users.
 * @throws Failure FILE_NOT_PERMITTED, DISK_ERROR
 */
export async function requireChangeableAttributes(path: string, fileSystem: string): Promise<void> {
  const self = process.geteuid?.();
  if (!MAY_REFUSE.test(fileSystem)) return;
  try {
    const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const { mode, uid, gid } = await handle.stat();
      if (self !== 0 && self !== uid) return;
      if ((mode & 0o077) !== 0) await handle.chmod(mode & 0o7777);
      // With the owner of the folder, the file system may give this owner to every file.
      const isMixed = (await stat(dirname(path))).uid !== uid;
      if (self === 0 && uid !== 0 && isMixed) await handle.chown(uid, gid);
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (isENOENT(error)) return;
    throw fileFailure(error, `set mode and owner of ${path} on this file system (${fileSystem})`);
  }
}

/** Type of the file system of a folder, for messages. @throws the system's error when there is no folder */
export async function fileSystemName(folder: string, mounts: readonly Mount[] | null): Promise<string> {
  const mount = mounts === null ? undefined : mountOf(await realpath(folder), mounts);
  return mount?.fileSystem ?? 'type unknown';
}
