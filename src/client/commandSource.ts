import { type CommandEnd, type CommandRun, runCommand } from '../device/commandRun.ts';
import type { Log } from '../log/log.ts';
import type { Clock } from '../time/clock.ts';
import { createLatestReadings } from './latestReadings.ts';
import type { TemperatureSource } from './temperatureSource.ts';

interface CommandSourceOptions {
  /** A program with its arguments, run without a shell, or a string for /bin/sh. */
  readonly command: string | readonly [string, ...string[]];
  readonly log: Log;
  readonly clock: Clock;
  /** Milliseconds before the first restart. The delay doubles with each restart up to 60 s. Default: one second. */
  readonly restartDelayMs?: number;
}

const MAX_RESTART_DELAY_MS = 60_000;
/** After a command has run this long, the restart delay starts again at its first value. */
const SETTLED_MS = 60_000;

/**
 * Temperatures from a command that prints JSON lines (readingLine.ts), e.g. the camera's own reader. The command starts
 * at once. When it ends, it is restarted with growing delays until `close`.
 */
export function createCommandSource(options: CommandSourceOptions): TemperatureSource {
  const { command, log, clock, restartDelayMs = 1000 } = options;
  const program: readonly [string, ...string[]] = typeof command === 'string' ? ['/bin/sh', '-c', command] : command;
  const latest = createLatestReadings(log, clock, 'the temperature command');
  let run: CommandRun | undefined;
  let timer: NodeJS.Timeout | undefined;
  let endsInARow = 0;
  let startedAt = 0;
  let closed = false;

  function onEnd({ how, stderr }: CommandEnd): void {
    run = undefined;
    if (closed) return;
    endsInARow = clock.monotonic() - startedAt >= SETTLED_MS ? 1 : endsInARow + 1;
    const restartInMs = Math.min(MAX_RESTART_DELAY_MS, restartDelayMs * 2 ** (endsInARow - 1));
    log.warn('source.command-ended', `The temperature command ended (${how}); restarting it`, {
      restartInMs,
      stderr: stderr || undefined,
    });
    timer = setTimeout(start, restartInMs);
  }

  function start(): void {
    startedAt = clock.monotonic();
    latest.lines.reset();
    try {
      run = runCommand(program, latest.lines.feed, onEnd);
    } catch (error) {
      onEnd({ how: error instanceof Error ? error.message : typeof error, stderr: '' });
    }
  }

  start();
  return {
    async read(spots, signal) {
      signal.throwIfAborted();
      return latest.of(spots);
    },
    async close() {
      closed = true;
      clearTimeout(timer);
      await run?.stop();
    },
  };
}
