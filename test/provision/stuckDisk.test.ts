import { statSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { provision } from '../../src/index.ts';
import { scene } from '../support/agentRun.ts';
import { isLocked, unlocked } from '../support/folderLock.ts';
import { provisionedProblems } from '../support/provisionedDevice.ts';
import { stickDisk } from '../support/stuckDisk.ts';

/** Two seconds for unfinished writes, and half a second to leave. The rest is for a busy machine. */
const END_LIMIT_MS = 4000;
/** More than enough for a write. */
const MOMENT_MS = 100;

it('an abort on a stuck disk ends soon, and the folder stays locked until the disk answers', async () => {
  const { simulator, paths } = await scene();
  const controller = new AbortController();
  let release = async (): Promise<void> => {};
  let abortedAt = 0;
  const cut = await provision({
    dir: paths.deviceFolder,
    signal: controller.signal,
    onProgress: async ({ state }) => {
      if (state !== 'verifyCredentials') return;
      controller.abort();
      abortedAt = performance.now();
      release = await stickDisk(onTestFinished);
    },
  });
  expect(cut.outcome).toBe('interrupted');
  expect(performance.now() - abortedAt).toBeLessThan(END_LIMIT_MS);
  expect(isLocked(paths.stateFolder)).toBe(true);

  await release();
  await unlocked(paths.stateFolder);
  const inode = statSync(paths.snapshot).ino;
  await delay(MOMENT_MS);
  expect(statSync(paths.snapshot).ino).toBe(inode);
  expect(await provision({ dir: paths.deviceFolder })).toMatchObject({ outcome: 'provisioned', runId: cut.runId });
  expect(await provisionedProblems(paths, simulator)).toEqual([]);
});
