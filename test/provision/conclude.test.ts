/** The end of a run on a stuck disk: within the limits, and the folder stays locked until the disk answers. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { DevicePaths } from '../../src/device/paths.ts';
import { EXIT } from '../../src/failures/exit.ts';
import { fileExists } from '../../src/files/fileExists.ts';
import { RUN_TIME_LIMIT_MS } from '../../src/provision/pass.ts';
import { cutIn, runDevice, type Scene, scene } from '../support/agentRun.ts';
import { quickProvisionJson } from '../support/deviceFolder.ts';
import { isLocked, unlocked } from '../support/folderLock.ts';
import { provisionedProblems } from '../support/provisionedDevice.ts';
import { stickyDisk } from '../support/stuckDisk.ts';
import { syncedPaths } from '../support/syncedPaths.ts';
import { MOMENT_MS, runToEnd } from './runToEnd.ts';

/** Two seconds for unfinished writes, and half a second to leave. The rest is for the steps. */
const END_LIMIT_MS = 3000;
/** After a failure two seconds more, in which a healthy disk would have finished the write. */
const FAILED_LIMIT_MS = END_LIMIT_MS + 2000;

/** Changes provision.json after the request was sent. */
const supersede = ({ simulator, paths }: Scene): void =>
  writeFileSync(paths.provisionJson, quickProvisionJson({ port: simulator.port, device: { name: 'hall-7' } }));

/** A disk that does not end the fsync after the removal of credentials.json. */
async function slowRemoval(paths: DevicePaths, begins: () => void): Promise<() => void> {
  let release = (): void => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  let hadCredentials = false;
  await syncedPaths(onTestFinished, async () => {
    hadCredentials ||= existsSync(paths.credentials);
    if (!hadCredentials || existsSync(paths.credentials)) return;
    begins();
    await released;
  });
  onTestFinished(release);
  return release;
}

/** The same files, and an event before credentials.json is next used. */
const beforeCredentials = (paths: DevicePaths, act: () => void): DevicePaths => ({
  ...paths,
  get credentials() {
    act();
    return paths.credentials;
  },
});

describe("the final state can't be saved", () => {
  test.each([
    ['provisioned', 'provisioned'],
    ['superseded', 'provisioned'],
    ['withdrawn', 'withdrawn'],
  ] as const)('%s, and the signal: interrupted, and the next start resumes: %s', async (state, afterwards) => {
    const one = await scene();
    const { paths } = one;
    const { stick, release } = await stickyDisk(onTestFinished);
    if (state === 'withdrawn') {
      await cutIn(paths, 'verifyCredentials');
      rmSync(paths.provisionTxt);
    }
    const cut = await runToEnd(paths, (entered, end) => {
      if (state === 'superseded' && entered === 'verifyCredentials') supersede(one);
      if (entered !== state) return;
      end.begins();
      stick();
      end.abort();
    });
    expect(cut).toMatchObject({ outcome: 'interrupted', exitStatus: 75 });
    expect(cut.events).toContain('run.interrupted');
    expect(cut.tookMs).toBeLessThan(END_LIMIT_MS);
    expect(isLocked(paths.stateFolder)).toBe(true);

    await release();
    await unlocked(paths.stateFolder);
    expect((await runDevice(paths)).outcome).toBe(afterwards);
    if (afterwards === 'withdrawn') return;
    expect(await provisionedProblems(paths, one.simulator, state === 'superseded' ? 2 : 1)).toEqual([]);
  });

  test('provisioned was never saved: the next start resumes in finalize', async () => {
    const { simulator, paths } = await scene();
    const { stick, release } = await stickyDisk(onTestFinished);
    let before = '';
    const cut = await runToEnd(paths, (state, end) => {
      if (state !== 'provisioned') return;
      before = readFileSync(paths.snapshot, 'utf8');
      end.begins();
      stick();
      end.abort();
    });
    await release();
    await unlocked(paths.stateFolder);
    // As after a power loss while the disk was stuck.
    writeFileSync(paths.snapshot, before);
    const run = await runDevice(paths);
    expect(run).toMatchObject({ outcome: 'provisioned', runId: cut.runId, states: ['finalize', 'provisioned'] });
    expect(await provisionedProblems(paths, simulator)).toEqual([]);
  });

  test('the time is up: the run fails, and the next start resumes', async () => {
    const { simulator, paths } = await scene();
    const { stick, release } = await stickyDisk(onTestFinished);
    const run = await runToEnd(paths, (state, end) => {
      if (state !== 'provisioned') return;
      end.begins();
      stick();
      end.passTime(RUN_TIME_LIMIT_MS);
    });
    expect(run).toMatchObject({ outcome: 'failed', exitStatus: 69, failure: { code: 'RUN_TIME_LIMIT' } });
    expect(run.failure?.message).toContain('provisioned');
    expect(run.tookMs).toBeLessThan(FAILED_LIMIT_MS);
    expect(isLocked(paths.stateFolder)).toBe(true);

    await release();
    await unlocked(paths.stateFolder);
    expect(await runDevice(paths)).toMatchObject({ outcome: 'provisioned', runId: run.runId });
    expect(await provisionedProblems(paths, simulator)).toEqual([]);
  });

  test('failed, and the signal: reported as usual, and soon', async () => {
    const { paths } = await scene({ deviceKey: 'a-key' }, { provisioning: { device_key: 'a-wrong-key' } });
    const { stick, release } = await stickyDisk(onTestFinished);
    const run = await runToEnd(paths, (state, end) => {
      if (state !== 'failed') return;
      end.begins();
      stick();
      end.abort();
    });
    expect(run).toMatchObject({ outcome: 'failed', failure: { code: 'PROVISION_KEY_REFUSED' } });
    expect(run.said).toContain('The failed state could not be saved: the storage took too long');
    expect(run.events.at(-1)).toBe('run.failed');
    expect(run.tookMs).toBeLessThan(FAILED_LIMIT_MS);
    expect(isLocked(paths.stateFolder)).toBe(true);

    await release();
    await unlocked(paths.stateFolder);
    expect((await runDevice(paths)).failure?.code).toBe('PROVISION_KEY_REFUSED');
  });
});

test('the signal while failed is being saved on a slow disk: the failure is saved and reported', async () => {
  const { paths } = await scene({ deviceKey: 'a-key' }, { provisioning: { device_key: 'a-wrong-key' } });
  const { stick, release } = await stickyDisk(onTestFinished);
  const run = await runToEnd(paths, (state, end) => {
    if (state !== 'failed') return;
    stick();
    end.abort();
    setTimeout(release, 3 * MOMENT_MS);
  });
  expect(run).toMatchObject({ outcome: 'failed', exitStatus: EXIT.NOPERM, failure: { code: 'PROVISION_KEY_REFUSED' } });
  expect(run.events).not.toContain('snapshot.unsaved');
  const snapshot = JSON.parse(readFileSync(paths.snapshot, 'utf8'));
  expect(snapshot).toMatchObject({ state: 'failed', error: { code: 'PROVISION_KEY_REFUSED' } });
  // The next run must not probe for a name that was never sent.
  expect(await fileExists(paths.credentials)).toBe(false);
});

test('failed is saved, but the removal of credentials.json takes long: reported as usual, and locked until then', async () => {
  const { paths } = await scene({ deviceKey: 'a-key' }, { provisioning: { device_key: 'a-wrong-key' } });
  let begins = (): void => {};
  const release = await slowRemoval(paths, () => begins());
  const run = await runToEnd(paths, (_state, end) => {
    begins = end.begins;
  });
  expect(run).toMatchObject({ outcome: 'failed', failure: { code: 'PROVISION_KEY_REFUSED' } });
  expect(run.events).not.toContain('snapshot.unsaved');
  expect(run.tookMs).toBeLessThan(FAILED_LIMIT_MS);
  expect(isLocked(paths.stateFolder)).toBe(true);

  release();
  await unlocked(paths.stateFolder);
  expect(await fileExists(paths.credentials)).toBe(false);
});

test.each(['the signal', 'the time'] as const)(
  'provisioned is saved, but %s ends the clean-up: provisioned, and locked until the clean-up is done',
  async (limit) => {
    const { simulator, paths } = await scene();
    let begins = (): void => {};
    const release = await slowRemoval(paths, () => begins());
    const run = await runToEnd(paths, (state, end) => {
      begins = () => {
        end.begins();
        if (limit === 'the signal') end.abort();
      };
      if (state === 'provisioned' && limit === 'the time') end.passTime(RUN_TIME_LIMIT_MS);
    });
    expect(run).toMatchObject({ outcome: 'provisioned', exitStatus: 0 });
    expect(run.said).toContain('The storage took too long to remove credentials.json; the next start removes the file');
    expect(run.tookMs).toBeLessThan(END_LIMIT_MS);
    expect(isLocked(paths.stateFolder)).toBe(true);

    release();
    await unlocked(paths.stateFolder);
    expect(await fileExists(paths.credentials)).toBe(false);
    expect(await provisionedProblems(paths, simulator)).toEqual([]);
  },
);

test('the signal during the last clean-up on a healthy disk: the clean-up is completed', async () => {
  const { simulator, paths } = await scene();
  let armed = (): void => {};
  const controller = new AbortController();
  const watched = beforeCredentials(paths, () => armed());
  const run = await runDevice(watched, {
    signal: controller.signal,
    onState: (state) => {
      if (state === 'provisioned') armed = () => controller.abort();
    },
  });
  expect(run.outcome).toBe('provisioned');
  expect(run.of('credentials.left')).toEqual([]);
  expect(await provisionedProblems(paths, simulator)).toEqual([]);
});

describe('provision.json changes during a run', () => {
  test('the new run has only the remaining time of the first run', async () => {
    const one = await scene();
    let changed = false;
    const run = await runToEnd(one.paths, (state, end) => {
      if (state !== 'verifyCredentials' || changed) return;
      changed = true;
      supersede(one);
      end.passTime(RUN_TIME_LIMIT_MS);
    });
    expect(run.events).toContain('run.superseded');
    expect(run).toMatchObject({ outcome: 'failed', exitStatus: 69, failure: { code: 'RUN_TIME_LIMIT' } });
    expect((await runDevice(one.paths)).outcome).toBe('provisioned');
    expect(await provisionedProblems(one.paths, one.simulator, 2)).toEqual([]);
  });

  test('with time left, the new run completes', async () => {
    const one = await scene();
    let changed = false;
    const run = await runToEnd(one.paths, (state, end) => {
      if (state !== 'verifyCredentials' || changed) return;
      changed = true;
      supersede(one);
      end.passTime(RUN_TIME_LIMIT_MS / 2);
    });
    expect(run).toMatchObject({ outcome: 'provisioned', deviceName: 'hall-7' });
  });
});
