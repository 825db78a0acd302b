/** What is measured of a fleet besides its devices. */
import { readFileSync } from 'node:fs';

/** The value below which a share of the sorted numbers lies (nearest rank). */
export function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
}

const SAMPLE_MS = 50;

/** Memory that the machine could still give, bytes (proc(5), MemAvailable). */
function availableBytes(): number {
  const [, kilobytes = '0'] = /^MemAvailable:\s+(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'utf8')) ?? [];
  return Number(kilobytes) * 1024;
}

/** Bytes of the heap that are in use after a garbage collection, where node --expose-gc allows one. */
function heapBytes(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}

const TICK_MS = 10;

/** Two neighbouring fields of a stat file of proc(5), by the number of the first one, as ms of CPU time. */
function ticksMs(path: string, field: number): number {
  const stat = readFileSync(path, 'utf8');
  // The second field, a name in brackets, may hold blanks; the third follows it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return TICK_MS * (Number(fields[field - 3]) + Number(fields[field - 2]));
}

/** CPU time of this process' main thread so far, ms. */
export const mainThreadMs = (): number => ticksMs(`/proc/self/task/${process.pid}/stat`, 14);

/** CPU time of the child processes that have ended, ms. */
export const endedChildrenMs = (): number => ticksMs('/proc/self/stat', 16);

export interface Memory {
  /** The most that this process held, before the fleet and until its end, bytes. */
  readonly baseBytes: number;
  readonly peakBytes: number;
  /** What stayed in this process' heap after the fleet, bytes. */
  readonly keptBytes: number;
  /** What the whole machine had less of at the worst moment, bytes; files on tmpfs count. */
  readonly machineBytes: number;
}

/** Watches memory from now on, until the function that it returns is called. */
export function watchMemory(): () => Memory {
  const heapBefore = heapBytes();
  const baseBytes = process.resourceUsage().maxRSS * 1024;
  const availableBefore = availableBytes();
  let least = availableBefore;
  const timer = setInterval(() => {
    least = Math.min(least, availableBytes());
  }, SAMPLE_MS);
  return () => {
    clearInterval(timer);
    const peakBytes = process.resourceUsage().maxRSS * 1024;
    return { baseBytes, peakBytes, keptBytes: heapBytes() - heapBefore, machineBytes: availableBefore - least };
  };
}
