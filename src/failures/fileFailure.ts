import { Failure } from './failure.ts';

/** Errors of storage whose names Node does not know: it reports `Unknown system error -122`. */
const UNNAMED = new Map([
  ['-116', 'ESTALE'],
  ['-117', 'EUCLEAN'],
  ['-121', 'EREMOTEIO'],
  ['-122', 'EDQUOT'],
  ['-126', 'ENOKEY'],
]);

/** The errno name of a system error (`ENOENT`, `EIO`, …). undefined: not a system error. */
export function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return undefined;
  const number = /^Unknown system error (-\d+)$/.exec(error.code)?.[1];
  return (number === undefined ? undefined : UNNAMED.get(number)) ?? error.code;
}

export const isENOENT = (error: unknown): boolean => errnoOf(error) === 'ENOENT';

/** How file systems without modes and owners refuse chmod and chown. EINVAL: the owner has no number in this container. */
const REFUSALS = new Set(['EPERM', 'EACCES', 'ENOSYS', 'ENOTSUP', 'EINVAL']);
const ATTRIBUTE_CALLS = /^f?ch(mod|own)$/;

/** Whether a change of mode or owner was refused. */
export function refusesAttributes(error: unknown): boolean {
  if (!(error instanceof Error) || !('syscall' in error) || typeof error.syscall !== 'string') return false;
  return ATTRIBUTE_CALLS.test(error.syscall) && REFUSALS.has(errnoOf(error) ?? '');
}

/**
 * Turns the error of a file-system call into a failure.
 * @param error the error that the call threw
 * @param doing the operation, as a phrase that ends with the path: `write /d/thermal_config.json`
 */
export function fileFailure(error: unknown, doing: string): Failure {
  if (error instanceof Failure) return error;
  const errno = errnoOf(error) ?? 'unknown error';
  const facts = { doing, errno };
  if (refusesAttributes(error)) return new Failure('FILE_NOT_PERMITTED', 'attributes', facts, error);
  switch (errno) {
    case 'ENOSPC':
      return new Failure('DISK_FULL', 'operation', facts, error);
    case 'EDQUOT':
      return new Failure('DISK_FULL', 'quota', facts, error);
    case 'EBUSY':
      return new Failure('DISK_ERROR', 'busy', facts, error);
    case 'ENAMETOOLONG':
      return new Failure('DISK_ERROR', 'tooLong', facts, error);
    case 'EFBIG':
      return new Failure('DISK_ERROR', 'tooLarge', facts, error);
    case 'EROFS':
      return new Failure('FOLDER_NOT_WRITABLE', 'readOnly', facts, error);
    case 'EACCES':
    case 'EPERM':
      return new Failure('FILE_NOT_PERMITTED', 'operation', facts, error);
    default:
      return new Failure('DISK_ERROR', 'operation', facts, error);
  }
}

/** The failure of a write into a folder that an operator must open for writing. */
export function folderFailure(error: unknown, folder: string): Failure {
  const failure = fileFailure(error, `write to the folder ${folder}`);
  const isOther = error instanceof Failure || failure.code !== 'FILE_NOT_PERMITTED' || refusesAttributes(error);
  if (isOther) return failure;
  const situation = errnoOf(error) === 'EPERM' ? 'flagged' : 'noPermission';
  return new Failure('FOLDER_NOT_WRITABLE', situation, { folder }, error);
}
