import { setTimeout as pause } from 'node:timers/promises';
import type { DevicePaths } from '../device/paths.ts';
import { assess } from './assessment.ts';
import { type DeviceFiles, type ReadOptions, readDeviceFiles } from './deviceFiles.ts';

const POLL_MS = 250;

export interface Waited {
  readonly files: DeviceFiles;
  /** Whether the run has ended; false: the time ran out, or the signal came. */
  readonly ended: boolean;
}

/**
 * Reads the files until the run has ended. An interrupted run has not ended, nor has a requested run that has not
 * begun: the next start of the agent continues with them. A failed run has ended.
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
    const { word, unfinished } = assess(files);
    const ended = word === 'error' || !unfinished;
    const left = deadline - performance.now();
    if (ended || left <= 0 || options.signal?.aborted === true) return { files, ended };
    await pause(Math.min(POLL_MS, left), undefined, { signal: options.signal }).catch(() => {});
  }
}
