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
  /** A file of JSON lines that another program appends to or rewrites, or a FIFO. It may appear later. */
  readonly path: string;
  readonly log: Log;
  readonly clock: Clock;
}

/** How old a file's content is by the file's own time, in milliseconds. */
const ageOf = (stats: Stats): number => Math.max(0, Date.now() - stats.mtimeMs);

/**
 * Temperatures from a file of JSON lines (readingLine.ts). A plain file is looked at whenever temperatures are asked
 * for, so that nothing runs in between; a FIFO is emptied as it fills, or its writer would be blocked.
 */
export function createFileSource(options: FileSourceOptions): TemperatureSource {
  const { path, log, clock } = options;
  const latest = createLatestReadings(log, clock, path);
  const readNew = createGrowingFile();
  let fifo: FollowedFifo | undefined;
  let looking: Promise<void> | undefined;

  async function lookAtFile(handle: FileHandle, stats: Stats): Promise<void> {
    const { continues, bytes } = await readNew(handle, stats);
    if (!continues) latest.lines.reset();
    // What is new was written by the file's last change at the latest.
    latest.setAge(ageOf(stats));
    latest.lines.feed(bytes);
    latest.takeUnfinishedLine();
  }

  async function look(): Promise<void> {
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
      await lookAtFile(handle, await handle.stat());
    } finally {
      await handle.close();
    }
  }

  return {
    async read(spots, signal) {
      signal.throwIfAborted();
      // One at a time, also when an earlier call was given up.
      looking ??= look().finally(() => {
        looking = undefined;
      });
      await looking.catch((error: unknown) => {
        throw fileFailure(error, `read temperatures from ${path}`);
      });
      return latest.of(spots);
    },
    async close() {
      await looking?.catch(() => {});
      await fifo?.close();
      fifo = undefined;
    },
  };
}
