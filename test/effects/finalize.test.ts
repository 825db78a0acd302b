import { statSync, utimesSync, writeFileSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { DevicePaths } from '../../src/device/paths.ts';
import { triggerIdentity } from '../../src/device/trigger.ts';
import { finalize } from '../../src/effects/finalize.ts';
import { temporaryPath } from '../../src/files/durable.ts';
import { trialPaths } from '../../src/files/trialWrite.ts';
import { cleanUp } from '../../src/provision/cleanUp.ts';
import { deviceFolderFor } from '../support/agentRun.ts';
import { effectCall, effectScene } from '../support/effectCall.ts';

async function triggered() {
  const paths = await deviceFolderFor(1);
  return { paths, trigger: await triggerIdentity(paths.provisionTxt), ...(await effectScene(paths)) };
}

const filesIn = async ({ deviceFolder }: DevicePaths): Promise<string[]> =>
  (await readdir(deviceFolder)).filter((name) => name.startsWith('provision.txt')).sort();

test('provision.txt becomes provision.txt.processed, in place of an older one', async () => {
  const { paths, trigger, dependencies } = await triggered();
  await writeFile(paths.provisionTxtProcessed, 'an older one');
  expect(await finalize(dependencies, effectCall({ trigger }))).toMatchObject({ renamed: true });
  expect(await filesIn(paths)).toEqual(['provision.txt.processed']);
  expect(await readFile(paths.provisionTxtProcessed, 'utf8')).toBe('');
});

test('done twice, it does nothing the second time', async () => {
  const { paths, trigger, dependencies, events, of } = await triggered();
  await finalize(dependencies, effectCall({ trigger }));
  expect(await finalize(dependencies, effectCall({ trigger }))).toMatchObject({ renamed: false });
  expect(events()).toEqual(['trigger.processed']);
  expect(of('trigger.processed')).toMatchObject([{ details: { file: paths.provisionTxtProcessed } }]);
});

test('a provision.txt that replaced the first one during the run stays', async () => {
  const { paths, trigger, dependencies, events } = await triggered();
  await rm(paths.provisionTxt);
  await writeFile(paths.provisionTxt, 'again');
  utimesSync(paths.provisionTxt, 1000, 1000);
  expect(await finalize(dependencies, effectCall({ trigger }))).toMatchObject({ renamed: false });
  expect(await filesIn(paths)).toEqual(['provision.txt']);
  expect(events()).toEqual(['trigger.newer']);
});

/** Replaces the file between the check and the rename. */
function swapOnceRenamed({ provisionTxt, provisionTxtProcessed }: DevicePaths, alsoDropped: boolean): void {
  let immediate: NodeJS.Immediate;
  const look = (): void => {
    if (statSync(provisionTxtProcessed, { throwIfNoEntry: false }) === undefined) {
      immediate = setImmediate(look);
      return;
    }
    utimesSync(provisionTxtProcessed, 1000, 1000);
    if (alsoDropped) writeFileSync(provisionTxt, 'a third one');
  };
  immediate = setImmediate(look);
  onTestFinished(() => clearImmediate(immediate));
}

test('a provision.txt that was replaced between check and rename is renamed back', async () => {
  const { paths, trigger, dependencies, events } = await triggered();
  swapOnceRenamed(paths, false);
  expect(await finalize(dependencies, effectCall({ trigger }))).toMatchObject({ renamed: false });
  expect(await filesIn(paths)).toEqual(['provision.txt']);
  expect(events()).toEqual(['trigger.newer']);
});

test('unless a third file exists, which must not be overwritten', async () => {
  const { paths, trigger, dependencies } = await triggered();
  swapOnceRenamed(paths, true);
  expect(await finalize(dependencies, effectCall({ trigger }))).toMatchObject({ renamed: false });
  expect(await readFile(paths.provisionTxt, 'utf8')).toBe('a third one');
});

test('clean-up keeps the newest backups, and removes credentials.json last', async () => {
  const { paths, dependencies, events } = await triggered();
  await mkdir(paths.stateFolder);
  await writeFile(paths.credentials, '{}');
  const backups = [1, 2, 3, 4].map((day) => `thermal_config.json.backup.2026110${day}T000000.000Z`);
  for (const name of backups) await writeFile(join(paths.deviceFolder, name), '{}');
  await cleanUp(dependencies, { keepBackups: 2, settingsDigest: null });
  const left = (await readdir(paths.deviceFolder)).filter((name) => name.includes('.backup.')).sort();
  expect(left).toEqual(backups.slice(2));
  expect(await readdir(paths.stateFolder)).toEqual([]);
  expect(events()).toEqual(['backup.pruned', 'credentials.removed']);
});

test('clean-up removes the files that a power loss can bring back: some hold a token', async () => {
  const { paths, dependencies } = await triggered();
  await mkdir(paths.stateFolder);
  const before = (await readdir(paths.deviceFolder, { recursive: true })).sort();
  const unfinished = [paths.snapshot, paths.credentials, paths.thermalConfig].map(temporaryPath);
  const trials = [paths.deviceFolder, paths.stateFolder].flatMap(trialPaths);
  for (const path of [...unfinished, ...trials]) await writeFile(path, 'a-token');
  await cleanUp(dependencies, { keepBackups: 2, settingsDigest: null });
  expect((await readdir(paths.deviceFolder, { recursive: true })).sort()).toEqual(before);
});

test("credentials.json is removed also when old backups can't be removed", async () => {
  const { paths, dependencies, events } = await triggered();
  const elsewhere = { ...paths, deviceFolder: join(paths.deviceFolder, 'absent') };
  await mkdir(paths.stateFolder);
  await writeFile(paths.credentials, '{}');
  await cleanUp({ ...dependencies, paths: elsewhere }, { keepBackups: 2, settingsDigest: null });
  expect(await readdir(paths.stateFolder)).toEqual([]);
  expect(events()).toEqual(['backup.unpruned', 'credentials.removed']);
});

test("a provision.txt that can't be read is a failure, not absent", async () => {
  const { paths } = await triggered();
  const beyondAFile = join(paths.provisionJson, 'provision.txt');
  await expect(triggerIdentity(beyondAFile)).rejects.toMatchObject({ code: 'DISK_ERROR' });
});
