import { Failure } from './failure.ts';

/** The errno name of a system error (`ENOENT`, `EIO`, …). undefined: not a system error. */
export function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

export const isENOENT = (error: unknown): boolean => errnoOf(error) === 'ENOENT';

/**
 * Turns the error of a file-system call into a failure.
 * @param error the error that the call threw
 * @param doing the operation, as a phrase that ends with the path: `write /d/thermal_config.json`
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
