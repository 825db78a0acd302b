import { closeSync, constants, openSync, writeSync } from 'node:fs';

/** An output that is never waited for. */
export interface UnblockedOutput {
  /** How many bytes were taken: fewer than given, or 0, when the reader stalls. @throws when the reader is gone */
  write(bytes: Uint8Array): number;
  close(): void;
}

/**
 * Opens a terminal or pipe for writing without ever waiting for its reader: a terminal that was stopped (Ctrl-S) would
 * otherwise stop the whole process at the next line. It is opened anew, because the flag would hold for every process
 * that shares an inherited descriptor.
 * @param path e.g. `/proc/self/fd/2`
 * @returns undefined when it can't be opened so: it belongs to another user (su), or there is no /proc
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
