/** Measures CPU time and memory of a fleet. */
import { readFileSync } from 'node:fs';

/** The quantile of sorted numbers (nearest rank). */
export function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
}

const SAMPLE_MS = 50;

/** Available memory of the machine, bytes (proc(5), MemAvailable). */
function availableBytes(): number {
  const [, kilobytes = '0'] = /^MemAvailable:\s+(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'utf8')) ?? [];
  return Number(kilobytes) * 1024;
}

/** Used heap after a garbage collection, bytes. The collection needs node --expose-gc. */
function heapBytes(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}

const TICK_MS = 10;

/** CPU time from two neighbouring fields of a stat file (proc(5)), ms. @param field number of the first one */
function ticksMs(path: string, field: number): number {
  const stat = readFileSync(path, 'utf8');
  // The second field is a name in brackets, which may contain blanks.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return TICK_MS * (Number(fields[field - 3]) + Number(fields[field - 2]));
}

/** CPU time of this process' main thread so far, ms. */
export const mainThreadMs = (): number => ticksMs(`/proc/self/task/${process.pid}/stat`, 14);

/** CPU time of the ended child processes, ms. */
export const endedChildrenMs = (): number => ticksMs('/proc/self/stat', 16);

export interface Memory {
  /** Peak memory of this process, before the fleet and at its end, bytes. */
  readonly baseBytes: number;
  readonly peakBytes: number;
  /** Heap of this process that is still used after the fleet, bytes. */
  readonly keptBytes: number;
  /** Largest decrease of the machine's available memory, bytes; files on tmpfs count. */
  readonly machineBytes: number;
}

/** Starts to watch the memory. @returns a function that ends the watch */
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
