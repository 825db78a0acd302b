import { chmod, copyFile, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { acquireLock } from '../../src/device/lock.ts';
import { type DevicePaths, devicePaths } from '../../src/device/paths.ts';
import { asOrdinaryUser } from '../config/scratch.ts';
import { cutIn, runDevice, scene, storeSnapshot } from '../support/agentRun.ts';
import { OLD_CONFIG, putTrigger } from '../support/deviceFiles.ts';
import { makeFolder } from '../support/deviceFolder.ts';
import { provisionedProblems } from '../support/provisionedDevice.ts';
import { syncedPaths } from '../support/syncedPaths.ts';
import { giveToUnprivileged } from '../support/unprivileged.ts';

const removeTrigger = ({ provisionTxt }: DevicePaths): Promise<void> => rm(provisionTxt);
const stateFiles = async ({ stateFolder }: DevicePaths): Promise<string> => (await readdir(stateFolder)).join(' ');

test('without provision.txt there is nothing to do, and nothing is done', async () => {
  const { simulator, paths } = await scene();
  await removeTrigger(paths);
  const run = await runDevice(paths);
  expect(run).toMatchObject({ outcome: 'nothing', exitStatus: 0, runId: null, deviceName: null });
  expect(run.of('run.nothing')).toHaveLength(1);
  expect(await stateFiles(paths)).toBe('events.jsonl');
  expect(simulator.registry.counts.connects).toBe(0);
});

test('a run without its snapshot starts again with the generated name and token', async () => {
  const { simulator, paths } = await scene();
  const { deviceName, runId } = await cutIn(paths, 'verifyCredentials');
  await rm(paths.snapshot);
  const run = await runDevice(paths);
  expect(run).toMatchObject({ outcome: 'provisioned', deviceName });
  expect(run.runId).not.toBe(runId);
  expect(await provisionedProblems(paths, simulator)).toEqual([]);
});

test('the agent probes for a request of an earlier run before it sends another', async () => {
  const { simulator, paths } = await scene();
  await cutIn(paths, 'request');
  await rm(paths.snapshot);
  const run = await runDevice(paths);
  expect(run.states.slice(0, 5)).toEqual(['detect', 'validate', 'prepare', 'reconcile', 'request']);
  expect(await provisionedProblems(paths, simulator)).toEqual([]);
});

test('a damaged snapshot is set aside, with a warning, and nothing is lost', async () => {
  const { simulator, paths } = await scene();
  const { deviceName } = await cutIn(paths, 'verifyCredentials');
  await writeFile(paths.snapshot, '{"format":"thermal-provision-snap');
  const run = await runDevice(paths);
  expect(run).toMatchObject({ outcome: 'provisioned', deviceName });
  expect(run.of('snapshot.damaged')).toHaveLength(1);
  expect(await stateFiles(paths)).toMatch(/snapshot\.json\.damaged-\d{8}T\d{6}\.\d{3}Z/);
  expect(await provisionedProblems(paths, simulator)).toEqual([]);
});

test('after a failure the next boot starts a new run, with new budgets and the same name', async () => {
  const { simulator, paths } = await scene(
    { faults: [{ on: 'deviceConnect', action: 'close', nth: 1 }] },
    {
      provisioning: { max_retries: 0 },
    },
  );
  const failed = await runDevice(paths);
  expect(failed).toMatchObject({ outcome: 'failed', failure: { code: 'CONNECTION_LOST' } });
  expect(await readFile(paths.thermalConfig, 'utf8')).toBe(OLD_CONFIG);
  const run = await runDevice(paths);
  expect(run).toMatchObject({ outcome: 'provisioned', deviceName: failed.deviceName });
  expect(run.runId).not.toBe(failed.runId);
  expect(run.of('candidate.adopted')).toMatchObject([{ details: { drawnByRun: failed.runId } }]);
  expect(await provisionedProblems(paths, simulator)).toEqual([]);
});

test('a run that was killed after provision.txt was renamed is finished without it', async () => {
  const { simulator, paths } = await scene();
  await cutIn(paths, 'finalize');
  await rename(paths.provisionTxt, paths.provisionTxtProcessed);
  const run = await runDevice(paths);
  expect(run).toMatchObject({ outcome: 'provisioned', exitStatus: 0 });
  expect(run.states).toEqual(['finalize', 'provisioned']);
  expect(await provisionedProblems(paths, simulator)).toEqual([]);
});

test('a run that failed after provision.txt was renamed is finished, too', async () => {
  const { simulator, paths } = await scene();
  const context = await cutIn(paths, 'finalize');
  await rename(paths.provisionTxt, paths.provisionTxtProcessed);
  await storeSnapshot(paths, 'failed', context);
  expect((await runDevice(paths)).outcome).toBe('provisioned');
  expect(await provisionedProblems(paths, simulator)).toEqual([]);
});

test.each([true, false])(
  'a request that was withdrawn is reported, and nothing is sent (snapshot: %s)',
  async (kept) => {
    const { simulator, paths } = await scene();
    const { deviceName, runId } = await cutIn(paths, 'verifyCredentials');
    const { connects } = simulator.registry.counts;
    await removeTrigger(paths);
    if (!kept) await rm(paths.snapshot);
    const withdrawn = await runDevice(paths);
    expect(withdrawn).toMatchObject({ outcome: 'withdrawn', exitStatus: 0 });
    expect(withdrawn.runId === runId).toBe(kept);
    expect(
      withdrawn
        .of('run.withdrawn')
        .map(({ message }) => message)
        .join(),
    ).toContain(`A device ${deviceName} may exist on 127.0.0.1:${simulator.port}`);
    expect(simulator.registry.counts.connects).toBe(connects);

    await putTrigger(paths);
    expect(await runDevice(paths)).toMatchObject({ outcome: 'provisioned', deviceName });
    expect(await provisionedProblems(paths, simulator)).toEqual([]);
  },
);

/** A finished run without its last step, the removal of credentials.json. */
async function unsweptScene() {
  const made = await scene();
  const kept = join(made.paths.deviceFolder, 'kept');
  await cutIn(made.paths, 'finalize');
  await copyFile(made.paths.credentials, kept);
  const run = await runDevice(made.paths);
  await rename(kept, made.paths.credentials);
  return { ...made, run };
}

test('a run that was killed before its very last step is cleaned up', async () => {
  const { simulator, paths, run } = await unsweptScene();
  const second = await runDevice(paths);
  expect(second).toMatchObject({ outcome: 'provisioned', exitStatus: 0, runId: run.runId, states: [] });
  expect(second.of('run.swept')).toHaveLength(1);
  expect(await provisionedProblems(paths, simulator)).toEqual([]);
});

test('a new provision.txt after that starts from the beginning: another name, another token', async () => {
  const { simulator, paths, run } = await unsweptScene();
  await putTrigger(paths);
  const next = await runDevice(paths);
  expect(next.outcome).toBe('provisioned');
  expect(next.deviceName).not.toBe(run.deviceName);
  expect(await provisionedProblems(paths, simulator, 2)).toEqual([]);
});

test('the card was cloned during a run: the clone generates its own name', async () => {
  const { simulator, paths } = await scene();
  const { deviceName } = await cutIn(paths, 'verifyCredentials');
  const clone = await runDevice(paths, { boardId: 'board-2' });
  expect(clone.outcome).toBe('provisioned');
  expect(clone.deviceName).not.toBe(deviceName);
  expect(
    clone
      .of('credentials.foreign')
      .map(({ message }) => message)
      .join(),
  ).toContain(deviceName);
  expect(await stateFiles(paths)).toMatch(/credentials\.json\.foreign-/);
  expect(await provisionedProblems(paths, simulator, 2)).toEqual([]);
});

test.each(['verifyCredentials', 'finalize'] as const)(
  'credentials.json was lost in %s: a new run, and a new name',
  async (state) => {
    const { simulator, paths } = await scene();
    const { runId } = await cutIn(paths, state);
    await rm(paths.credentials);
    const run = await runDevice(paths);
    expect(run.outcome).toBe('provisioned');
    expect(run.runId).not.toBe(runId);
    expect(await provisionedProblems(paths, simulator, 2)).toEqual([]);
  },
);

test('credentials.json is damaged: set aside, with a warning', async () => {
  const { simulator, paths } = await scene();
  await cutIn(paths, 'request');
  await writeFile(paths.credentials, 'not json');
  const run = await runDevice(paths);
  expect(run.outcome).toBe('provisioned');
  expect(run.of('credentials.damaged')).toHaveLength(1);
  expect(await stateFiles(paths)).toMatch(/credentials\.json\.damaged-/);
  expect(await provisionedProblems(paths, simulator)).toEqual([]);
});

test.each([
  ['snapshot', 'SNAPSHOT_NEWER', 65],
  ['credentials', 'CREDENTIALS_NEWER', 65],
] as const)('a %s of a newer agent is refused and left as it is', async (file, code, exitStatus) => {
  const { paths } = await scene();
  await cutIn(paths, 'request');
  const newer = JSON.stringify({ ...JSON.parse(await readFile(paths[file], 'utf8')), version: 99 });
  await writeFile(paths[file], newer);
  expect(await runDevice(paths)).toMatchObject({ outcome: 'failed', exitStatus, failure: { code } });
  expect(await readFile(paths[file], 'utf8')).toBe(newer);
});

test.each(['stateFolder', 'deviceFolder'] as const)(
  'a second agent on one %s ends at once and names the process that holds the lock',
  async (folder) => {
    const { simulator, paths } = await scene();
    await cutIn(paths, 'request');
    const lock = await acquireLock(paths[folder]);
    const second = await runDevice(paths);
    expect(second).toMatchObject({ outcome: 'failed', exitStatus: 75, failure: { code: 'LOCKED' } });
    expect(second.failure?.message).toContain(`process ${process.pid}`);
    await lock.release();
    expect((await runDevice(paths)).outcome).toBe('provisioned');
    expect(await provisionedProblems(paths, simulator)).toEqual([]);
  },
);

test('while it runs, the file `lock` names the process; afterwards there is none', async () => {
  const { paths } = await scene();
  let seen: Promise<string> | undefined;
  await runDevice(paths, {
    onState: (state) => {
      if (state === 'validate') seen = readFile(paths.lock, 'utf8');
    },
  });
  expect(await seen).toBe(`${process.pid}\n`);
  expect(await stateFiles(paths)).toBe('events.jsonl snapshot.json');
});

test('a state folder that other users can access is made private, with a warning', async () => {
  const { paths } = await scene();
  await cutIn(paths, 'request');
  await chmod(paths.stateFolder, 0o755);
  await chmod(paths.credentials, 0o644);
  const run = await runDevice(paths);
  expect(run.outcome).toBe('provisioned');
  const message = `${paths.stateFolder} was accessible to other users; its mode is now 700`;
  expect(run.of('state.tightened')).toMatchObject([{ level: 'warn', message }]);
  expect(run.of('credentials.tightened').length).toBeGreaterThan(0);
  expect((await stat(paths.stateFolder)).mode & 0o777).toBe(0o700);
});

test.each(['absent', 'a file'])('the device folder is %s', async (kind) => {
  const { paths } = await scene();
  const folder = join(paths.deviceFolder, 'other');
  if (kind === 'a file') await writeFile(folder, '');
  const run = await runDevice(devicePaths(folder));
  expect(run).toMatchObject({ outcome: 'failed', exitStatus: 66, failure: { code: 'DEVICE_FOLDER_MISSING' } });
  expect(run.of('run.failed')).toMatchObject([{ runId: null, state: null, attempt: null }]);
});

test('a state folder in an unreadable folder is used, with a warning', async () => {
  const { paths } = await scene();
  await removeTrigger(paths);
  const around = await makeFolder(onTestFinished);
  const elsewhere = devicePaths(paths.deviceFolder, join(around, 'state'));
  await mkdir(elsewhere.stateFolder, { mode: 0o700 });
  for (const folder of [paths.deviceFolder, elsewhere.stateFolder]) await giveToUnprivileged(folder);
  await chmod(around, 0o311);
  const run = await asOrdinaryUser(() => runDevice(elsewhere));
  await chmod(around, 0o700);
  expect(run).toMatchObject({ outcome: 'nothing', exitStatus: 0 });
  const message = `${around} can't be opened for syncing: a power loss may remove a new state folder in it`;
  expect(run.of('state.unsynced')).toMatchObject([{ level: 'warn', message }]);
});

test('a state folder in a folder that the disk does not sync is not used', async () => {
  const { paths } = await scene();
  const around = await makeFolder(onTestFinished);
  const elsewhere = devicePaths(paths.deviceFolder, join(around, 'state'));
  await syncedPaths(onTestFinished, (path) => {
    if (path === around) throw Object.assign(new Error('EIO: i/o error, fsync'), { code: 'EIO' });
  });
  expect((await runDevice(elsewhere)).failure).toMatchObject({ code: 'DISK_ERROR' });
});
