import { constants, open } from 'node:fs';
import { Socket } from 'node:net';
import { promisify } from 'node:util';

export interface FollowedFifo {
  /** Inode of the FIFO when it was opened. */
  readonly ino: number;
  /** Whether an error has ended the reading. */
  hasEnded(): boolean;
  close(): Promise<void>;
}

/**
 * Reads a FIFO continuously. It is opened for writing too, so that it stays open when a writer closes it (fifo(7)). So
 * the user needs both permissions.
 * @param onChunk receives the bytes
 */
export async function followFifo(path: string, ino: number, onChunk: (chunk: Buffer) => void): Promise<FollowedFifo> {
  const fd = await promisify(open)(path, constants.O_RDWR | constants.O_NONBLOCK);
  // The socket owns the descriptor and closes it.
  const stream = new Socket({ fd, readable: true, writable: false });
  stream.on('data', onChunk);
  // 'close' follows. The next reading opens the FIFO again.
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
