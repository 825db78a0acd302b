/** A start on a disk that does not answer: it ends within a limit, soon after a signal, and keeps the folder locked. */
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { DevicePaths } from '../../src/device/paths.ts';
import { EXIT } from '../../src/failures/exit.ts';
import { cutIn, runDevice, type Scene, scene } from '../support/agentRun.ts';
import { isLocked, unlocked } from '../support/folderLock.ts';
import { provisionedProblems } from '../support/provisionedDevice.ts';
import { type StickyDisk, stickyDisk } from '../support/stuckDisk.ts';
import { syncedPaths } from '../support/syncedPaths.ts';

const START_LIMIT_MS = 60_000;
const AFTER_SIGNAL_MS = 2000;
const LEAVE_MS = 500;

/** Paths whose named one calls `act` when it is first used. */
function actingAt(paths: DevicePaths, name: 'credentials' | 'provisionTxt', act: () => void): DevicePaths {
  let isFirst = true;
  return {
    ...paths,
    get [name]() {
      if (isFirst) act();
      isFirst = false;
      return paths[name];
    },
  };
}

/** Lets the disk answer, and expects that the next start provisions. */
async function expectNextStart({ simulator, paths }: Scene, disk: StickyDisk): Promise<void> {
  vi.useRealTimers();
  await disk.release();
  await unlocked(paths.deviceFolder);
  let run = await runDevice(paths);
  // The start that ended may get its lock now, and gives it back at once.
  while (run.failure?.code === 'LOCKED') run = await runDevice(paths);
  expect(run).toMatchObject({ outcome: 'provisioned' });
  expect(await provisionedProblems(paths, simulator)).toEqual([]);
}

describe('a start on a stuck disk', () => {
  let here: Scene;
  let disk: StickyDisk;
  beforeEach(async () => {
    [here, disk] = [await scene(), await stickyDisk(onTestFinished)];
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  });
  afterEach(() => void vi.useRealTimers());

  it('fails at the limit, when not even the folder can be looked at', async () => {
    disk.stick();
    const start = runDevice(here.paths);
    await vi.advanceTimersByTimeAsync(START_LIMIT_MS);
    expect((await start).failure).toMatchObject({
      code: 'DISK_ERROR',
      exitStatus: EXIT.IOERR,
      message: `The start was stopped after 60 s: the storage of ${here.paths.deviceFolder} does not answer`,
    });
    await expectNextStart(here, disk);
  });

  it.each(['credentials', 'provisionTxt'] as const)(
    'fails at the limit at %s, and the folder stays locked until the disk answers',
    async (name) => {
      const start = await new Promise<{ end: ReturnType<typeof runDevice> }>((resolve) => {
        const stick = (): void => {
          disk.stick();
          resolve({ end });
        };
        const end = runDevice(actingAt(here.paths, name, stick));
      });
      await vi.advanceTimersByTimeAsync(START_LIMIT_MS);
      // The agent then waits half a second for the disk.
      await vi.advanceTimersByTimeAsync(LEAVE_MS);
      expect((await start.end).failure).toMatchObject({ code: 'DISK_ERROR' });
      expect(isLocked(here.paths.deviceFolder)).toBe(true);
      await expectNextStart(here, disk);
    },
  );

  it('is interrupted soon after the signal', async () => {
    const controller = new AbortController();
    disk.stick();
    const start = runDevice(here.paths, { signal: controller.signal });
    controller.abort();
    await vi.advanceTimersByTimeAsync(AFTER_SIGNAL_MS);
    const run = await start;
    expect(run).toMatchObject({ outcome: 'interrupted', exitStatus: EXIT.TEMPFAIL, runId: null });
    expect(run.records.map(({ event, message }) => [event, message])).toEqual([
      ['run.interrupted', 'Interrupted at the start: the storage does not answer'],
    ]);
    await expectNextStart(here, disk);
  });
});

/** A disk on which one fsync does not end. @returns when this fsync has begun, and its end */
async function hangingSync(isIt: (path: string) => boolean) {
  let [begin, end] = [(): void => {}, (): void => {}];
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  await syncedPaths(onTestFinished, (path) => {
    if (!isIt(path)) return undefined;
    begin();
    return ended;
  });
  onTestFinished(end);
  return { begun, end };
}

/** 100 ms of real time, for a start that would not wait for its work. */
const longEnoughToUnlock = (): Promise<void> =>
  new Promise((resolve) => {
    const timer = setInterval(() => {
      clearInterval(timer);
      resolve();
    }, 100);
  });

describe('a start in which one fsync does not end', () => {
  afterEach(() => void vi.useRealTimers());

  it.each(['the entries of an earlier run', 'an earlier clean-up'] as const)(
    'of %s: fails at the limit, and the folder stays locked until that fsync ends',
    async (work) => {
      const { paths } = await scene();
      if (work === 'an earlier clean-up') {
        await cutIn(paths, 'provisioned');
        await rm(paths.provisionTxt, { force: true });
      }
      const hanging = await hangingSync((path) =>
        work === 'an earlier clean-up' ? !existsSync(paths.credentials) : path === paths.deviceFolder,
      );
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
      const start = runDevice(paths);
      await hanging.begun;
      await vi.advanceTimersByTimeAsync(START_LIMIT_MS);
      await longEnoughToUnlock();
      await vi.advanceTimersByTimeAsync(LEAVE_MS);
      expect((await start).failure).toMatchObject({ code: 'DISK_ERROR' });
      expect(isLocked(paths.deviceFolder)).toBe(true);
      vi.useRealTimers();
      hanging.end();
      await unlocked(paths.deviceFolder);
      expect((await runDevice(paths)).outcome).toBe(work === 'an earlier clean-up' ? 'nothing' : 'provisioned');
    },
  );
});
