import { constants, type Stats } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { Failure } from '../failures/failure.ts';
import { fileFailure } from '../failures/fileFailure.ts';
import type { Log } from '../log/log.ts';
import type { Clock } from '../time/clock.ts';
import { type FollowedFifo, followFifo } from './fifo.ts';
import { createGrowingFile } from './growingFile.ts';
import { createLatestReadings } from './latestReadings.ts';
import type { TemperatureSource } from './temperatureSource.ts';

interface FileSourceOptions {
  /** A file of JSON lines that another program appends to or rewrites, or a FIFO. It may be created later. */
  readonly path: string;
  readonly log: Log;
  readonly clock: Clock;
}

/** Age of a file's content by its modification time, in milliseconds. */
const ageOf = (stats: Stats): number => Math.max(0, Date.now() - stats.mtimeMs);

/**
 * Temperatures from a file of JSON lines (readingLine.ts). A plain file is read only when `read` is called. A FIFO is
 * read continuously, because otherwise its writer would block.
 */
export function createFileSource(options: FileSourceOptions): TemperatureSource {
  const { path, log, clock } = options;
  const latest = createLatestReadings(log, clock, path);
  const readNew = createGrowingFile();
  let fifo: FollowedFifo | undefined;
  let reading: Promise<void> | undefined;

  async function readFile(handle: FileHandle, stats: Stats): Promise<void> {
    const { continues, bytes } = await readNew(handle, stats);
    if (!continues) latest.lines.reset();
    // The new lines are at least as old as the file's last change.
    latest.setAge(ageOf(stats));
    latest.lines.feed(bytes);
    latest.takeUnfinishedLine();
  }

  async function readOnce(): Promise<void> {
    const stats = await stat(path);
    if (fifo !== undefined && (fifo.ino !== stats.ino || fifo.hasEnded())) {
      await fifo.close();
      fifo = undefined;
    }
    if (stats.isFIFO()) {
      latest.setAge(0);
      fifo ??= await followFifo(path, stats.ino, latest.lines.feed);
      return;
    }
    if (!stats.isFile()) throw new Failure('DISK_ERROR', 'notAFile', { path });
    const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      await readFile(handle, await handle.stat());
    } finally {
      await handle.close();
    }
  }

  return {
    async read(spots, signal) {
      signal.throwIfAborted();
      // Only one reading runs at a time, even if the caller of an earlier one stopped waiting.
      reading ??= readOnce().finally(() => {
        reading = undefined;
      });
      await reading.catch((error: unknown) => {
        throw fileFailure(error, `read temperatures from ${path}`);
      });
      return latest.of(spots);
    },
    async close() {
      await reading?.catch(() => {});
      await fifo?.close();
      fifo = undefined;
    },
  };
}
