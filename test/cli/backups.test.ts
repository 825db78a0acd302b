import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { compareBackup } from '../../src/cli/backups/diff.ts';
import { listing } from '../../src/cli/backups/list.ts';
import { restoreBackup } from '../../src/cli/backups/restore.ts';
import { listBackups } from '../../src/config/thermal/backups.ts';
import { cameraProblems } from '../../src/config/thermal/cameraRules.ts';
import type { DevicePaths } from '../../src/device/paths.ts';
import { OLD_CONFIG, OLD_DEVICE, OLD_TOKEN } from '../support/deviceFiles.ts';
import { makeDeviceFolder } from '../support/deviceFolder.ts';

const COMMENTED = OLD_CONFIG.replace('{', '{\n  // hall 3, key 4711');
const FORMER = 'thermal_config.json.backup.20251023_143000';

/** A device with one backup. */
async function deviceWith(backup: string | Buffer, name = 'thermal_config.json.backup.20260101T000000.000Z') {
  const { paths } = await makeDeviceFolder(onTestFinished, { port: 9, config: OLD_CONFIG, requested: false });
  await chmod(paths.thermalConfig, 0o600);
  await writeFile(join(paths.deviceFolder, name), backup, { mode: 0o600 });
  const [listed] = await listBackups(paths.deviceFolder);
  if (listed === undefined) throw new Error('the backup is not listed');
  return { paths, backup: listed };
}

const current = ({ thermalConfig }: DevicePaths): Promise<Buffer> => readFile(thermalConfig);

test('a backup with a comment is listed as usable after a repair', async () => {
  const { paths, backup } = await deviceWith(COMMENTED);
  const { text, json } = await listing(paths, [backup], Date.now());
  expect(text).toContain(
    'complete, after a repair: it is not valid JSON: a comment (JSON has none) at line 2, column 3',
  );
  expect(json).toMatchObject({ backups: [{ usable: true, former: false, deviceId: OLD_DEVICE }] });
});

test.each([
  ['with a comment', COMMENTED],
  ['in UTF-16', Buffer.from(`\uFEFF${OLD_CONFIG}`, 'utf16le')],
])('a backup %s is restored as a file that the camera can load', async (_what, content) => {
  const { paths, backup } = await deviceWith(content);
  await writeFile(paths.thermalConfig, '{}');
  const { text, json } = await restoreBackup(paths, backup, true);
  expect(text).toContain('It was repaired: all settings are restored.');
  expect(json).toMatchObject({ restored: backup.name, repaired: true });
  expect(cameraProblems(await current(paths))).toEqual([]);
  expect((await current(paths)).toString().replaceAll(/\s/g, '')).toBe(OLD_CONFIG.replaceAll(/\s/g, ''));
});

test('a backup that needs no repair is restored byte for byte', async () => {
  const { paths, backup } = await deviceWith(`${OLD_CONFIG} `);
  const { text, json } = await restoreBackup(paths, backup, true);
  expect(text).not.toContain('repaired');
  expect(json).toMatchObject({ repaired: false });
  expect((await current(paths)).toString()).toBe(`${OLD_CONFIG} `);
});

test('a backup with another slip is refused', async () => {
  const { paths, backup } = await deviceWith(OLD_CONFIG.replace(',', ''));
  await expect(restoreBackup(paths, backup, true)).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringContaining('a comma is missing at line'),
  });
});

test('a backup with a comment is compared without it, because it may hold a secret', async () => {
  const { paths, backup } = await deviceWith(COMMENTED.replace(OLD_DEVICE, 'cam-9'));
  const { text } = await compareBackup(paths, backup);
  expect(text).toContain(`--- ${backup.name} (repaired)`);
  expect(text).toContain('cam-9');
  expect(text).not.toMatch(/4711|hall 3/);
  expect(text).not.toContain(OLD_TOKEN);
});

test('files that differ in comments alone have the same settings', async () => {
  const { paths, backup } = await deviceWith(COMMENTED);
  await writeFile(paths.thermalConfig, COMMENTED.replace('4711', '4712'));
  expect(await compareBackup(paths, backup)).toMatchObject({
    text: `${backup.name} and thermal_config.json have the same settings.\n`,
    json: { same: true },
  });
});

test('a backup of the former client is listed as such, and restored', async () => {
  const { paths, backup } = await deviceWith(`${OLD_CONFIG}\n`, FORMER);
  const { text, json } = await listing(paths, [backup], Date.now());
  expect(text).toContain('complete, made by the former client');
  const madeAt = new Date(2025, 9, 23, 14, 30).toISOString();
  expect(json).toMatchObject({ backups: [{ name: FORMER, former: true, usable: true, madeAt }] });
  await restoreBackup(paths, backup, true);
  expect((await current(paths)).toString()).toBe(`${OLD_CONFIG}\n`);
});

const BASIC = OLD_CONFIG.replace(/"access_token": "[^"]*"/, '"username": "user-of-it", "password": "its-password"');
const NO_LOGIN = OLD_CONFIG.replace(/"access_token": "[^"]*",/, '');

test.each<[string, string, string, string, object]>([
  [
    'two tokens',
    OLD_CONFIG.replace(OLD_TOKEN, 'other-token'),
    OLD_CONFIG,
    'The access tokens differ',
    { token: 'different', login: 'different' },
  ],
  ['a token and a user name', OLD_CONFIG, BASIC, 'The logins differ', { token: 'only in one', login: 'different' }],
  ['two passwords', BASIC.replace('its-', 'other-'), BASIC, 'The logins differ', { token: 'same', login: 'different' }],
  [
    'one user name',
    BASIC.replace('"port": 1883', '"port": 1884'),
    BASIC,
    'The login is the same',
    { token: 'same', login: 'same' },
  ],
  [
    'no login and a user name',
    NO_LOGIN,
    BASIC,
    'Only one of the two files has a login',
    { token: 'same', login: 'only in one' },
  ],
  [
    'no login and a token',
    NO_LOGIN,
    OLD_CONFIG,
    'Only one of the two files has an access token',
    { token: 'only in one', login: 'only in one' },
  ],
])('a comparison of %s says so, and shows no secret', async (_what, before, now, line, compared) => {
  const { paths, backup } = await deviceWith(before);
  await writeFile(paths.thermalConfig, now);
  const { text, json } = await compareBackup(paths, backup);
  expect(text).toContain(line);
  expect(json).toMatchObject(compared);
  for (const secret of [OLD_TOKEN, 'other-token', 'user-of-it', '-password']) expect(text).not.toContain(secret);
});
