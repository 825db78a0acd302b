import { rm, writeFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, it } from 'vitest';
import { acquireLock } from '../../src/device/lock.ts';
import { ensurePrivateFolder } from '../../src/files/ownFiles.ts';
import { waitForEnd } from '../../src/status/waitForEnd.ts';
import { makeDeviceFolder } from '../support/deviceFolder.ts';
import { runIn } from '../support/statusFiles.ts';

describe.concurrent('waiting for the end of a run', () => {
  it('returns at once without an unfinished run', async ({ expect, onTestFinished }) => {
    const { paths } = await makeDeviceFolder(onTestFinished, { port: 1, requested: false });
    const began = performance.now();
    expect((await waitForEnd(paths, 60_000)).ended).toBe(true);
    expect(performance.now() - began).toBeLessThan(5000);
  });

  it('ends with the run', async ({ expect, onTestFinished }) => {
    const { paths } = await makeDeviceFolder(onTestFinished, { port: 1 });
    await ensurePrivateFolder(paths.stateFolder);
    const lock = await acquireLock(paths.stateFolder);
    const waiting = waitForEnd(paths, 60_000);
    await pause(300);
    await writeFile(paths.snapshot, JSON.stringify(runIn('failed')));
    await lock.release();
    const { files, ended } = await waiting;
    expect([files.snapshot.value?.state, ended]).toEqual(['failed', true]);
  });

  it('waits for a requested run, within its time limit', async ({ expect, onTestFinished }) => {
    const { paths } = await makeDeviceFolder(onTestFinished, { port: 1 });
    const began = performance.now();
    expect((await waitForEnd(paths, 400)).ended).toBe(false);
    expect(performance.now() - began).toBeGreaterThanOrEqual(399);
    const waiting = waitForEnd(paths, 60_000);
    await pause(100);
    await rm(paths.provisionTxt);
    expect((await waiting).ended).toBe(true);
  });

  it('ends on a signal', async ({ expect, onTestFinished }) => {
    const { paths } = await makeDeviceFolder(onTestFinished, { port: 1 });
    const stop = new AbortController();
    const waiting = waitForEnd(paths, 60_000, { signal: stop.signal });
    await pause(100);
    stop.abort();
    expect((await waiting).ended).toBe(false);
  });
});
