import { chmod, chown, mkdir, readFile, realpath, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { devicePaths } from '../../src/device/paths.ts';
import { detect } from '../../src/effects/detect.ts';
import { validate } from '../../src/effects/validate.ts';
import { asOrdinaryUser, put, scratchFolder } from '../config/scratch.ts';
import { cutIn, deviceFolderFor, runDevice, scene } from '../support/agentRun.ts';
import { OLD_CONFIG, OLD_DEVICE } from '../support/deviceFiles.ts';
import { effectCall, effectScene } from '../support/effectCall.ts';
import { folderInRam } from '../support/folderInRam.ts';
import { syncedPaths } from '../support/syncedPaths.ts';

async function folderWith(config: string | null) {
  const paths = await deviceFolderFor(1883, { config });
  await mkdir(paths.stateFolder, { mode: 0o700 });
  return { paths, ...(await effectScene(paths)) };
}

test('returns what the run keeps of the files', async () => {
  const { dependencies } = await folderWith(OLD_CONFIG);
  expect(await validate(dependencies, effectCall({}))).toMatchObject({
    settings: {
      digest: expect.stringMatching(/^[0-9a-f]{16}$/),
      server: { host: '127.0.0.1', port: 1883, useSsl: false, caFile: null },
      nameSource: 'random',
      maxRetries: 3,
      timeoutSeconds: 1,
    },
    previousDeviceId: OLD_DEVICE,
    newestBackupAt: null,
  });
});

test('a key in another spelling is logged with what it is taken for, and is no warning', async () => {
  const paths = await deviceFolderFor(8883, { provisioning: { useTls: true, deviceName: 'cam-1' } });
  await mkdir(paths.stateFolder, { mode: 0o700 });
  const { dependencies, events } = await effectScene(paths);
  const { settings, warnings } = await validate(dependencies, effectCall({}));
  expect(settings).toMatchObject({ server: { port: 8883, useSsl: true }, nameSource: 'fixed' });
  expect(warnings).toEqual([]);
  expect(events().filter((event) => event !== 'validate.passed')).toEqual(['settings.taken', 'settings.taken']);
});

test.each([
  ['tls: true', { tls: true }, 'request.sent'],
  ['a CA file', { caCert: 'ca.pem' }, 'PROVISION_JSON_INVALID'],
  ['a TLS version', { tls_version: '1.2' }, 'PROVISION_JSON_INVALID'],
  ['a name in an unknown section', { camera: { name: 'cam-1' } }, 'PROVISION_JSON_INVALID'],
])('with %s nothing is registered in clear text and under a random name', async (_what, provisioning, end) => {
  const { simulator, paths } = await scene({}, { provisioning: { ...provisioning, max_retries: 0 } });
  const { outcome, failure, text } = await runDevice(paths);
  expect(outcome).toBe('failed');
  if (end === 'request.sent') expect(text).not.toContain(end);
  else expect(failure?.code).toBe(end);
  expect(simulator.registry.devices()).toEqual([]);
});

test.each([
  ['absent', null],
  ['invalid JSON', '{'],
  ["JSON that the camera can't load", '{"thingsboard":{}}'],
])('a configuration that is %s names no previous device', async (_what, config) => {
  const { dependencies } = await folderWith(config);
  expect(await validate(dependencies, effectCall({}))).toMatchObject({ previousDeviceId: null });
});

test('a configuration that only needs a repair names its device, and no run has to warn about it', async () => {
  const { dependencies } = await folderWith(`// hall 3\n${OLD_CONFIG}`);
  expect(await validate(dependencies, effectCall({}))).toMatchObject({ previousDeviceId: OLD_DEVICE, warnings: [] });
});

test('values that the camera rejects already are logged; only write knows whether they stay', async () => {
  const { dependencies, events } = await folderWith(
    OLD_CONFIG.replace('"interval_seconds": 15', '"interval_seconds": 0'),
  );
  expect(await validate(dependencies, effectCall({}))).toMatchObject({ warnings: [] });
  expect(events()).toContain('validate.warning');
});

test('a warning about provision.json names the file', async () => {
  const { paths, dependencies } = await folderWith(OLD_CONFIG);
  const json = JSON.parse(await readFile(paths.provisionJson, 'utf8'));
  await writeFile(paths.provisionJson, JSON.stringify({ ...json, colour: 'red' }));
  const { warnings = [] } = await validate(dependencies, effectCall({}));
  expect(warnings.join()).toMatch(/^provision\.json: unknown key colour/);
});

test('a device folder that every user can write to is named', async () => {
  const { paths, dependencies } = await folderWith(OLD_CONFIG);
  await chmod(paths.deviceFolder, 0o777);
  const { warnings = [] } = await validate(dependencies, effectCall({}));
  expect(warnings).toEqual([`Every user of this device can write to ${paths.deviceFolder} (mode 777)`]);
});

test("a configuration of another user can't be replaced with its owner, so nothing is sent", async (context) => {
  if (process.geteuid?.() !== 0) context.skip('only root can give files away');
  const { simulator, paths } = await scene();
  for (const path of [paths.deviceFolder, paths.provisionJson, paths.provisionTxt]) await chown(path, 65_534, 65_534);
  await chmod(paths.thermalConfig, 0o666);
  const run = await asOrdinaryUser(() => runDevice(paths));
  expect(run).toMatchObject({ outcome: 'failed', exitStatus: 77, failure: { code: 'FILE_NOT_PERMITTED' } });
  expect(simulator.registry.counts.connects).toBe(0);
});

test('a folder in the place of provision.txt.processed is found before anything is sent', async () => {
  const { simulator, paths } = await scene();
  await mkdir(paths.provisionTxtProcessed);
  const run = await runDevice(paths);
  expect(run).toMatchObject({
    outcome: 'failed',
    exitStatus: 74,
    failure: {
      code: 'DISK_ERROR',
      message: expect.stringContaining(`${paths.provisionTxtProcessed} is a folder`),
      hint: `Move the folder ${paths.provisionTxtProcessed} away, then start again.`,
    },
  });
  expect(simulator.registry.counts.connects).toBe(0);
  await rm(paths.provisionTxtProcessed, { recursive: true });
  expect(await runDevice(paths)).toMatchObject({ outcome: 'provisioned' });
});

test('a file or a link there is not an obstacle, because a rename replaces it', async () => {
  const { paths, dependencies } = await folderWith(OLD_CONFIG);
  await writeFile(paths.provisionTxtProcessed, 'of an earlier run');
  await validate(dependencies, effectCall({}));
  await rm(paths.provisionTxtProcessed);
  await symlink(paths.stateFolder, paths.provisionTxtProcessed);
  await validate(dependencies, effectCall({}));
});

const inRam = async (provisioning: Readonly<Record<string, unknown>> = {}) => {
  const { simulator, paths } = await scene({}, { provisioning });
  return { simulator, paths: { ...paths, ...devicePaths(paths.deviceFolder, await folderInRam(onTestFinished)) } };
};

test('a folder that a reboot loses is found before anything is sent', async () => {
  const { simulator, paths } = await inRam();
  const run = await runDevice(paths);
  expect(run).toMatchObject({ outcome: 'failed', exitStatus: 78, failure: { code: 'VOLATILE_STORAGE' } });
  expect(run.failure?.message).toContain(`the state folder ${paths.stateFolder} is on a tmpfs (mounted at /dev/shm)`);
  expect(simulator.registry.counts.connects).toBe(0);
});

test('it is used if the operator allows that: this is logged, and is no warning of the run', async () => {
  const { paths } = await inRam({ allow_volatile_storage: true });
  const { dependencies, events } = await effectScene(paths);
  expect((await validate(dependencies, effectCall({}))).warnings).toEqual([]);
  expect(events()).toContain('storage.volatile');
  expect(await runDevice(paths)).toMatchObject({ outcome: 'provisioned' });
});

test('a board that a reboot makes another one is named in the log', async () => {
  const { dependencies, events } = await folderWith(OLD_CONFIG);
  const board = { serial: null, machine: 'm', volatileMachine: true, address: null };
  await validate({ ...dependencies, board }, effectCall({}));
  expect(events()).toContain('board.volatile');
});

test("a path that can't be read there is a failure, not absent", async () => {
  const { paths, dependencies } = await folderWith(OLD_CONFIG);
  const provisionTxtProcessed = join(paths.provisionJson, 'beyond a file');
  const call = validate({ ...dependencies, paths: { ...paths, provisionTxtProcessed } }, effectCall({}));
  await expect(call).rejects.toMatchObject({
    code: 'DISK_ERROR',
    message: `Could not look at ${provisionTxtProcessed}: ENOTDIR`,
  });
});

test('detect with an unreadable credentials.json still reports that provision.txt was removed', async () => {
  const { paths } = await scene();
  await cutIn(paths, 'request');
  await rm(paths.provisionTxt);
  await writeFile(paths.credentials, 'not json');
  const { dependencies } = await effectScene(paths);
  const { trigger, unfinished, warnings = [] } = await detect(dependencies, effectCall({}));
  expect({ trigger, unfinished }).toEqual({ trigger: null, unfinished: true });
  expect(warnings).toEqual(['provision.txt was removed before the run ended; nothing more is sent']);
});

/** A scene of `validate` whose configuration is a link to a file in another folder. */
async function linkedConfig() {
  const made = await folderWith(null);
  const elsewhere = await scratchFolder();
  await symlink(await put(join(elsewhere, 'config.json'), OLD_CONFIG), made.paths.thermalConfig);
  return { ...made, elsewhere: await realpath(elsewhere) };
}

test("a link's target is rehearsed in its own folder, and its folder is synced: only there the run has not done it", async () => {
  const { paths, dependencies, elsewhere } = await linkedConfig();
  const synced = await syncedPaths(onTestFinished);
  await validate(dependencies, effectCall({}));
  expect(synced).toContain(elsewhere);
  expect(synced).not.toContain(await realpath(paths.deviceFolder));
});

test('settings from another file are logged with its path', async () => {
  const { paths, dependencies, of } = await folderWith(OLD_CONFIG);
  await validate(dependencies, effectCall({}));
  const provisionJson = join(await scratchFolder(), 'provision.json');
  await rename(paths.provisionJson, provisionJson);
  await validate({ ...dependencies, externalSettings: { provisionJson } }, effectCall({}));
  expect(of('validate.passed').map(({ details }) => details.provisionJson)).toEqual([undefined, provisionJson]);
});
