import { closeSync, constants, openSync, writeSync } from 'node:fs';

/** An output whose writes never block. */
export interface UnblockedOutput {
  /** @returns the bytes written: fewer than given, or 0, when the reader stalls @throws when the reader has closed */
  write(bytes: Uint8Array): number;
  close(): void;
}

/**
 * Opens a terminal or pipe for writing that never blocks. With blocking writes a stopped terminal (Ctrl-S) would stop the
 * whole process. The path is opened again, because O_NONBLOCK on an inherited descriptor would affect every process that
 * shares it.
 * @param path e.g. `/proc/self/fd/2`
 * @returns undefined when it can't be opened: it is owned by another user (su), or there is no /proc
 */
export function openUnblocked(path: string): UnblockedOutput | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch {
    return undefined;
  }
  return {
    write(bytes) {
      try {
        return writeSync(descriptor, bytes);
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'EAGAIN') return 0;
        throw error;
      }
    },
    close: () => closeSync(descriptor),
  };
}
