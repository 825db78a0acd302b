import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { listBackups, nextBackupName } from '../../../src/config/thermal/backups.ts';
import { chooseBase, configWithCredentials, requireLoadable } from '../../../src/config/thermal/configBase.ts';
import { carriesCredentials, freshConfig } from '../../../src/config/thermal/credentialsSections.ts';
import { readThermalConfig, THERMAL_CONFIG } from '../../../src/config/thermal/thermalConfig.ts';
import { credentials, TOKEN } from '../credentials.ts';
import { everyWordOf, failureOf, put, scratchFolder } from '../scratch.ts';

const chosenIn = async (folder: string) => chooseBase(await readThermalConfig(folder), await listBackups(folder));
const backup = (folder: string, time: number, content: string) =>
  put(join(folder, nextBackupName(time, undefined)), content, 0o600);

describe('chooseBase', () => {
  it('uses the existing file when it is usable', async () => {
    const folder = await scratchFolder();
    await put(join(folder, THERMAL_CONFIG), '{"mine":1}');
    await backup(folder, 1, '{"old":1}');
    expect(await chosenIn(folder)).toEqual({ from: 'file', bytes: Buffer.from('{"mine":1}') });
  });

  it('uses the defaults when there is no file, even if there are backups', async () => {
    const folder = await scratchFolder();
    await backup(folder, 1, '{"old":1}');
    expect(await chosenIn(folder)).toEqual({ from: 'defaults' });
  });

  it('uses the newest usable backup when the file is not usable', async () => {
    const folder = await scratchFolder();
    await put(join(folder, THERMAL_CONFIG), '{"mine":');
    await backup(folder, 1, '{"old":1}');
    await backup(folder, 2, '{"newer":1}');
    await backup(folder, 3, '{"newest":');
    await backup(folder, 4, '{"thingsboard":7}');
    const name = nextBackupName(2, undefined);
    expect(await chosenIn(folder)).toEqual({ from: 'backup', name, bytes: Buffer.from('{"newer":1}') });
  });

  it("reports each backup that can't be used, except a copy of the file itself", async () => {
    const folder = await scratchFolder();
    await put(join(folder, THERMAL_CONFIG), '{"mine":');
    await backup(folder, 1, '{"old":1}');
    await backup(folder, 2, '{"newer":');
    await backup(folder, 3, '{"mine":');
    const big = await backup(folder, 4, ' '.repeat(1024 * 1024 + 1));
    const backups = await listBackups(folder);
    const gone = { name: 'x', path: join(folder, 'x'), time: 5, former: false, size: 1 };
    const skipped: string[] = [];
    await chooseBase(await readThermalConfig(folder), [gone, ...backups], (path, why) =>
      skipped.push(`${path}: ${why}`),
    );
    expect(skipped).toEqual([
      `${gone.path}: it was removed a moment ago`,
      `${big}: it is larger than 1048576 bytes`,
      `${backups[2]?.path}: it is not valid JSON: the file ends before its closing } at line 1, column 10`,
    ]);
  });

  it('repairs the file itself, or a backup, rather than lose their settings', async () => {
    const folder = await scratchFolder();
    await backup(folder, 1, '{"old":1,}');
    await put(join(folder, THERMAL_CONFIG), '{"mine":1} // hall 3');
    const repaired = 'is not valid JSON: a comment (JSON has none) at line 1, column 12';
    expect(await chosenIn(folder)).toEqual({ from: 'file', bytes: Buffer.from('{"mine":1}'), repaired });
    await put(join(folder, THERMAL_CONFIG), '{"mine":');
    const name = nextBackupName(1, undefined);
    expect(await chosenIn(folder)).toEqual({ from: 'backup', name, bytes: Buffer.from('{"old":1}') });
  });

  it('uses a backup of the former client, if it is the newest', async () => {
    const folder = await scratchFolder();
    await put(join(folder, THERMAL_CONFIG), '{"mine":');
    await backup(folder, 1, '{"old":1}');
    const name = `${THERMAL_CONFIG}.backup.1700000000`;
    await put(join(folder, name), '{"former":1}');
    expect(await chosenIn(folder)).toEqual({ from: 'backup', name, bytes: Buffer.from('{"former":1}') });
  });

  it('uses the defaults when no backup is usable, or it was removed', async () => {
    const folder = await scratchFolder();
    await put(join(folder, THERMAL_CONFIG), '');
    await backup(folder, 1, '[]');
    expect(await chosenIn(folder)).toEqual({ from: 'defaults' });
    const gone = { name: 'x', path: join(folder, 'x'), time: 1, former: false, size: 1 };
    expect(await chooseBase(await readThermalConfig(folder), [gone])).toEqual({ from: 'defaults' });
  });

  it('reads at most twenty backups', async () => {
    const folder = await scratchFolder();
    await put(join(folder, THERMAL_CONFIG), '');
    await backup(folder, 1, '{"old":1}');
    for (let time = 2; time <= 21; time++) await backup(folder, time, '');
    expect(await chosenIn(folder)).toEqual({ from: 'defaults' });
  });
});

describe('requireLoadable', () => {
  const good = freshConfig(credentials());
  const broken = (...replaced: readonly [string, string][]) =>
    Buffer.from(replaced.reduce((text, [from, to]) => text.replace(from, to), good.toString()));
  const slow = ['"interval_seconds": 15', '"interval_seconds": 0'] as const;
  const far = ['"x": 160', '"x": -1'] as const;

  it('accepts a text that the camera can load', () => {
    expect(() => requireLoadable({ from: 'defaults' }, good)).not.toThrow();
    expect(() => requireLoadable({ from: 'file', bytes: good }, good)).not.toThrow();
  });

  it('refuses a text that breaks a rule of the camera: exit status and hint tell the operator', async () => {
    for (const base of [{ from: 'defaults' }, { from: 'file', bytes: good }] as const) {
      const failure = await failureOf(() => requireLoadable(base, broken([...slow])));
      expect([failure.code, failure.exitStatus]).toEqual(['CONFIG_INVALID', 65]);
      expect(failure.message).toContain('could not load the new');
      expect(failure.message).toContain('telemetry.interval_seconds: expected an integer from 1 to 3600');
      expect(everyWordOf(failure)).not.toContain(TOKEN);
    }
  });

  it('accepts a problem that the old text had, and names only the new one', async () => {
    const base = { from: 'file', bytes: broken([...slow]) } as const;
    expect(() => requireLoadable(base, broken([...slow]))).not.toThrow();
    const failure = await failureOf(() => requireLoadable(base, broken([...slow], [...far])));
    expect(failure.message).toContain('measurement_spots');
    expect(failure.message).not.toContain('interval_seconds');
  });
});

describe('configWithCredentials', () => {
  it('makes a new file from the defaults', () => {
    expect(configWithCredentials({ from: 'defaults' }, credentials())).toEqual(freshConfig(credentials()));
  });

  it.each(['file', 'backup'] as const)('keeps the content of the %s', (from) => {
    const text = configWithCredentials({ from, name: 'x', bytes: Buffer.from('{"mine":1}') }, credentials());
    expect(text.toString()).toMatch(/^\{"mine":1,/);
    expect(carriesCredentials(text, credentials())).toBe(true);
  });
});
