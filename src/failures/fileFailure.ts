import { Failure } from './failure.ts';

/** The errno name of a system error (`ENOENT`, `EIO`, …), or undefined for anything else. */
export function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

export const isENOENT = (error: unknown): boolean => errnoOf(error) === 'ENOENT';

/**
 * The failure that a failed file-system call means for the operator.
 * @param error what the call threw
 * @param doing what was tried, as a phrase that ends with the path: `write /d/thermal_config.json`
 */
export function fileFailure(error: unknown, doing: string): Failure {
  if (error instanceof Failure) return error;
  const errno = errnoOf(error) ?? 'unknown error';
  const facts = { doing, errno };
  switch (errno) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new Failure('DISK_FULL', 'operation', facts, error);
    case 'EROFS':
      return new Failure('FOLDER_NOT_WRITABLE', 'readOnly', facts, error);
    case 'EACCES':
    case 'EPERM':
      return new Failure('FILE_NOT_PERMITTED', 'operation', facts, error);
    default:
      return new Failure('DISK_ERROR', 'operation', facts, error);
  }
}
