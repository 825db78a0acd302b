import { chmod, mkdir, readFile, realpath, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { WriteInput } from '../../machines/provision.types.ts';
import { replacementAttributes } from '../../src/config/thermal/replacement.ts';
import { readThermalConfig } from '../../src/config/thermal/thermalConfig.ts';
import type { DevicePaths } from '../../src/device/paths.ts';
import { restore } from '../../src/effects/restore.ts';
import { write } from '../../src/effects/write.ts';
import { Secret } from '../../src/secret.ts';
import { writeCredentials } from '../../src/state/credentials.ts';
import { failureOf, scratchFolder } from '../config/scratch.ts';
import { accessToken } from '../support/accessToken.ts';
import { deviceFolderFor } from '../support/agentRun.ts';
import { OLD_CONFIG } from '../support/deviceFiles.ts';
import { effectCall, effectScene } from '../support/effectCall.ts';
import { configuredDevice } from '../support/provisionedDevice.ts';
import { replaceOnceWritten } from '../support/replaceOnceWritten.ts';
import { syncedPaths } from '../support/syncedPaths.ts';

const BACKUP = 'thermal_config.json.backup.20261123T101530.123Z';
const TOKEN = 'token-that-was-granted';
const SERVER = { host: 'tb.example', port: 1883, useSsl: false, caFile: null };
const INPUT: WriteInput = {
  runId: 'run-1',
  server: SERVER,
  deviceName: 'hall-7',
  fingerprint: new Secret(TOKEN).fingerprint(),
  backup: BACKUP,
};

/** A run in `write`: with issued credentials, and a backup of the configuration if there is one. */
async function grantedScene(config: string | null = OLD_CONFIG) {
  const paths = await deviceFolderFor(1, { config });
  const made = await effectScene(paths);
  await mkdir(paths.stateFolder);
  await writeCredentials(paths.credentials, {
    target: { digest: 'digest', host: 'tb.example', port: 1883 },
    board: made.dependencies.board,
    candidates: [{ nameIndex: 1, name: 'hall-7', credentials: accessToken(TOKEN), runId: 'run-1', answered: false }],
    granted: { deviceName: 'hall-7', credentials: accessToken(TOKEN), successSeenBy: 'run-1' },
  });
  if (config !== null) await writeFile(join(paths.deviceFolder, BACKUP), config);
  return { paths, ...made };
}

const text = ({ thermalConfig }: DevicePaths): Promise<string> => readFile(thermalConfig, 'utf8');

test('the issued credentials are written, and the mode of the file stays', async () => {
  const { paths, dependencies } = await grantedScene();
  await chmod(paths.thermalConfig, 0o640);
  expect(await write(dependencies, effectCall(INPUT))).toMatchObject({ outcome: 'written', warnings: [] });
  expect(await configuredDevice(paths)).toEqual({ host: 'tb.example', port: 1883, token: TOKEN, deviceId: 'hall-7' });
  expect((await stat(paths.thermalConfig)).mode & 0o777).toBe(0o640);
});

test('a token that was altered since it was proven is not written', async () => {
  const { paths, dependencies } = await grantedScene();
  const input = { ...INPUT, fingerprint: new Secret('the proven token').fingerprint() };
  const failure = await failureOf(() => write(dependencies, effectCall(input)));
  expect(failure.code).toBe('CREDENTIALS_LOST');
  expect(failure.message).toContain(paths.credentials);
  expect(await text(paths)).toBe(OLD_CONFIG);
});

test('done twice, it changes nothing the second time', async () => {
  const { paths, dependencies, of } = await grantedScene();
  await write(dependencies, effectCall(INPUT));
  const before = await stat(paths.thermalConfig);
  expect(await write(dependencies, effectCall({ ...INPUT, runId: 'run-2' }))).toMatchObject({ outcome: 'already' });
  expect((await stat(paths.thermalConfig)).ino).toBe(before.ino);
  expect(of('config.already')).toMatchObject([{ details: { file: await realpath(paths.thermalConfig) } }]);
});

test('only the rules that the new file still breaks are recorded: the values of the credentials are replaced', async () => {
  const template = JSON.parse(OLD_CONFIG);
  template.thingsboard = { ...template.thingsboard, host: '', access_token: '', device_id: '' };
  template.telemetry.interval_seconds = 0;
  const { paths, dependencies } = await grantedScene(JSON.stringify(template));
  const left = ['thermal_config.json: telemetry.interval_seconds: expected an integer from 1 to 3600'];
  expect(await write(dependencies, effectCall(INPUT))).toMatchObject({ outcome: 'written', warnings: left });
  expect(await write(dependencies, effectCall(INPUT))).toMatchObject({ outcome: 'already', warnings: left });
  expect((await configuredDevice(paths)).deviceId).toBe('hall-7');
});

test('a CA file is named only if one is used', async () => {
  const { paths, dependencies } = await grantedScene();
  await write(dependencies, effectCall({ ...INPUT, server: { ...SERVER, useSsl: true, caFile: 'ca.pem' } }));
  expect(await text(paths)).toContain('"ca_file": "ca.pem"');
});

test.each([
  ['TLS is not used', { ...SERVER, caFile: 'ca.pem' }],
  ["the system's authorities are used", { ...SERVER, useSsl: true }],
])('no CA file is named if %s', async (_what, server) => {
  const { paths, dependencies } = await grantedScene();
  expect(await write(dependencies, effectCall({ ...INPUT, server }))).toMatchObject({ outcome: 'written' });
  expect(await text(paths)).not.toContain('ca_file');
});

test('the proxy of provision.json is written; if the file is gone by now, an old proxy stays', async () => {
  const config = OLD_CONFIG.replace('"thingsboard": {', '"thingsboard": { "proxy": "http://old:1",');
  const { paths, dependencies } = await grantedScene(config);
  const provisionJson = await readFile(paths.provisionJson, 'utf8');
  await rm(paths.provisionJson);
  expect(await write(dependencies, effectCall(INPUT))).toMatchObject({ outcome: 'written' });
  expect(await text(paths)).toContain('"proxy": "http://old:1"');
  await writeFile(paths.thermalConfig, config);
  await writeFile(paths.provisionJson, provisionJson.replace('"host"', '"proxy": "socks5h://new:2", "host"'));
  expect(await write(dependencies, effectCall(INPUT))).toMatchObject({ outcome: 'written' });
  expect(await text(paths)).toContain('"proxy": "socks5h://new:2"');
});

test('without a configuration and a backup, the defaults are written', async () => {
  const { paths, dependencies } = await grantedScene(null);
  expect(await write(dependencies, effectCall({ ...INPUT, backup: null }))).toMatchObject({ outcome: 'written' });
  expect((await configuredDevice(paths)).token).toBe(TOKEN);
  expect((await stat(paths.thermalConfig)).mode & 0o777).toBe(0o600);
});

test.each([
  ['changed since the backup', OLD_CONFIG, BACKUP, `${OLD_CONFIG} `],
  ['made by another program meanwhile', null, null, OLD_CONFIG],
])('a configuration that was %s is not touched', async (_what, config, backup, now) => {
  const { paths, dependencies, events } = await grantedScene(config);
  await writeFile(paths.thermalConfig, now);
  expect(await write(dependencies, effectCall({ ...INPUT, backup }))).toMatchObject({ outcome: 'changed' });
  expect(await text(paths)).toBe(now);
  expect(events()).toEqual(['config.changed']);
});

test('a configuration that was removed meanwhile counts as changed', async () => {
  const { dependencies } = await grantedScene(null);
  expect(await write(dependencies, effectCall(INPUT))).toMatchObject({ outcome: 'changed' });
});

test('an unusable configuration: the settings come from the newest usable backup', async () => {
  const { paths, dependencies, of } = await grantedScene('{ not json');
  const older = 'thermal_config.json.backup.20261101T000000.000Z';
  await writeFile(join(paths.deviceFolder, older), OLD_CONFIG);
  const output = await write(dependencies, effectCall(INPUT));
  expect(output).toMatchObject({ outcome: 'written', warnings: [expect.stringContaining(older)] });
  expect(await text(paths)).toContain('12345678901234567890123');
  expect(of('config.base').map(({ message }) => message)).toEqual(output.warnings);
});

test('a configuration with comments keeps its settings, and becomes JSON that the camera can load', async () => {
  const commented = OLD_CONFIG.replace('{', '{\n  // hall 3').replace(/}\s*$/, ',}\n');
  const { paths, dependencies, events } = await grantedScene(commented);
  await writeFile(join(paths.deviceFolder, 'thermal_config.json.backup.20261101T000000.000Z'), '{"other":1}');
  const warnings = vi.spyOn(dependencies.log, 'warn');
  expect(await write(dependencies, effectCall(INPUT))).toMatchObject({ outcome: 'written', warnings: [] });
  const { paths: plain, dependencies: others } = await grantedScene(OLD_CONFIG);
  await write(others, effectCall(INPUT));
  const withoutTime = (content: string) => content.replace(/"provisioned_at": "[^"]*"/, '');
  expect(withoutTime(await text(paths))).toBe(withoutTime(await text(plain)));
  expect(await readFile(join(paths.deviceFolder, BACKUP), 'utf8')).toBe(commented);
  expect(events()).toEqual(['config.base', 'config.written']);
  const says = `thermal_config.json is not valid JSON: a comment (JSON has none) at line 2, column 3. It was repaired: all settings stay, and ${BACKUP} keeps the original`;
  expect(warnings).toHaveBeenCalledWith('config.base', says);
});

test("a backup that can't be used is named in a warning", async () => {
  const { paths, dependencies, events } = await grantedScene('{ not json');
  const damaged = join(paths.deviceFolder, 'thermal_config.json.backup.20261102T000000.000Z');
  await writeFile(damaged, '{ "neither": ');
  const warnings = vi.spyOn(dependencies.log, 'warn');
  await write(dependencies, effectCall(INPUT));
  // The copy of the unusable file itself is not among them.
  expect(events().filter((event) => event === 'backup.skipped')).toHaveLength(1);
  expect(warnings).toHaveBeenCalledWith('backup.skipped', expect.stringContaining(damaged), { file: damaged });
});

test('an unusable configuration without such a backup: the defaults', async () => {
  const { paths, dependencies } = await grantedScene('{ not json');
  const output = await write(dependencies, effectCall(INPUT));
  expect(output).toMatchObject({ outcome: 'written', warnings: [expect.stringContaining('the defaults')] });
  expect((await configuredDevice(paths)).token).toBe(TOKEN);
});

test('a change by another program right after the write is backed up again, and is not a storage error', async () => {
  const { paths, dependencies, events } = await grantedScene();
  onTestFinished(replaceOnceWritten(paths.thermalConfig, OLD_CONFIG));
  expect(await write(dependencies, effectCall(INPUT))).toMatchObject({ outcome: 'changed' });
  expect(await text(paths)).toBe(OLD_CONFIG);
  expect(events()).toEqual(['config.overtaken']);
});

test("a file that can't be read back is unusable, and restore puts the backup back", async () => {
  const { paths, dependencies, events, of } = await grantedScene();
  onTestFinished(replaceOnceWritten(paths.thermalConfig, '{ "half a conf'));
  expect(await write(dependencies, effectCall(INPUT))).toMatchObject({ outcome: 'unusable' });
  await chmod(paths.thermalConfig, 0o640);
  expect(await restore(dependencies, effectCall({ backup: BACKUP }))).toEqual({ at: expect.any(Number) });
  expect(events()).toEqual(['config.unusable', 'config.restored']);
  expect(of('config.restored')).toMatchObject([{ details: { backup: BACKUP } }]);
  expect(await text(paths)).toBe(OLD_CONFIG);
  expect((await stat(paths.thermalConfig)).mode & 0o777).toBe(0o640);
});

test('restore without a backup removes the written file', async () => {
  const { paths, dependencies, events, of } = await grantedScene(null);
  await write(dependencies, effectCall({ ...INPUT, backup: null }));
  const file = await realpath(paths.thermalConfig);
  expect(await restore(dependencies, effectCall({ backup: null }))).toEqual({ at: expect.any(Number) });
  await expect(text(paths)).rejects.toMatchObject({ code: 'ENOENT' });
  expect(events()).toEqual(['config.written', 'config.removed']);
  expect(of('config.removed')).toMatchObject([{ details: { file } }]);
});

test('restore follows no link in the place of the backup: the file behind it is not the backup', async () => {
  const { paths, dependencies } = await grantedScene();
  const written = '{ "half a conf';
  await writeFile(paths.thermalConfig, written);
  await rename(join(paths.deviceFolder, BACKUP), join(paths.deviceFolder, 'elsewhere'));
  await symlink('elsewhere', join(paths.deviceFolder, BACKUP));
  const restored = restore(dependencies, effectCall({ backup: BACKUP }));
  await expect(restored).rejects.toMatchObject({ code: 'CONFIG_UNREADABLE' });
  expect(await text(paths)).toBe(written);
});

test('restore from a missing backup fails and does not change the file', async () => {
  const { paths, dependencies } = await grantedScene(null);
  await writeFile(paths.thermalConfig, OLD_CONFIG);
  const failure = { code: 'CONFIG_UNREADABLE', message: expect.stringContaining(BACKUP) };
  await expect(restore(dependencies, effectCall({ backup: BACKUP }))).rejects.toMatchObject(failure);
  expect(await text(paths)).toBe(OLD_CONFIG);
});

test('a file of another owner keeps that owner', async () => {
  const { paths } = await grantedScene();
  const existing = await readThermalConfig(paths.deviceFolder);
  expect(await replacementAttributes(existing)).toEqual({
    mode: existing.mode,
    owner: { uid: existing.uid, gid: existing.gid },
  });
  expect(await replacementAttributes({ ...existing, uid: 12_345, gid: 54_321 })).toEqual({
    mode: existing.mode,
    owner: { uid: 12_345, gid: 54_321 },
  });
});

test('the issued credentials are missing', async () => {
  const { dependencies, paths } = await grantedScene();
  await writeCredentials(paths.credentials, {
    target: { digest: 'digest', host: 'tb.example', port: 1883 },
    board: dependencies.board,
    candidates: [],
    granted: null,
  });
  await expect(write(dependencies, effectCall(INPUT))).rejects.toMatchObject({ code: 'CREDENTIALS_LOST' });
  expect(await text(paths)).toBe(OLD_CONFIG);
});

test('done twice, it makes durable what a killed run may only have renamed: in the folder of the file itself', async () => {
  const { paths, dependencies } = await grantedScene();
  const elsewhere = await scratchFolder();
  await rename(paths.thermalConfig, join(elsewhere, 'config.json'));
  await symlink(join(elsewhere, 'config.json'), paths.thermalConfig);
  await write(dependencies, effectCall(INPUT));
  const synced = await syncedPaths(onTestFinished);
  expect(await write(dependencies, effectCall(INPUT))).toMatchObject({ outcome: 'already' });
  expect(synced).toEqual([await realpath(elsewhere)]);
});
