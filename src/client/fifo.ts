import { constants, open } from 'node:fs';
import { Socket } from 'node:net';
import { promisify } from 'node:util';

export interface FollowedFifo {
  /** The inode it had when it was opened. */
  readonly ino: number;
  /** Whether reading has ended, by an error. */
  hasEnded(): boolean;
  close(): Promise<void>;
}

/**
 * Reads a FIFO as it fills. Opened for writing too, so that the end of one writer is not the end of the FIFO (fifo(7));
 * the user therefore needs both permissions.
 * @param onChunk gets what arrives
 */
export async function followFifo(path: string, ino: number, onChunk: (chunk: Buffer) => void): Promise<FollowedFifo> {
  const fd = await promisify(open)(path, constants.O_RDWR | constants.O_NONBLOCK);
  // The socket owns the descriptor from here on and closes it.
  const stream = new Socket({ fd, readable: true, writable: false });
  stream.on('data', onChunk);
  // 'close' follows; the next look opens the FIFO again.
  stream.on('error', () => {});
  return {
    ino,
    hasEnded: () => stream.destroyed,
    close: () =>
      new Promise((resolve) => {
        if (stream.closed) return resolve();
        stream.once('close', () => resolve());
        stream.destroy();
      }),
  };
}
