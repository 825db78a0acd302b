import { setTimeout as pause } from 'node:timers/promises';
import type { DevicePaths } from '../device/paths.ts';
import { type DeviceFiles, type ReadOptions, readDeviceFiles } from './deviceFiles.ts';
import { judge } from './judgement.ts';

const POLL_MS = 250;

export interface Waited {
  readonly files: DeviceFiles;
  /** Whether the run had ended; false: the time ran out, or the signal came. */
  readonly ended: boolean;
}

/**
 * Looks at the files until the run has ended: an interrupted one, and one that is asked for and has not begun, count as
 * under way, since the next start of the agent takes them on. A failed one has ended.
 * @param timeoutMs longest wait
 */
export async function waitForEnd(
  paths: DevicePaths,
  timeoutMs: number,
  options: ReadOptions & { readonly signal?: AbortSignal } = {},
): Promise<Waited> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const files = await readDeviceFiles(paths, options);
    const { word, unfinished } = judge(files);
    const ended = word === 'error' || !unfinished;
    const left = deadline - performance.now();
    if (ended || left <= 0 || options.signal?.aborted === true) return { files, ended };
    await pause(Math.min(POLL_MS, left), undefined, { signal: options.signal }).catch(() => {});
  }
}
