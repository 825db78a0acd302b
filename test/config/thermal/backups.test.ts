import { chmod, mkdir, readdir, readFile, stat, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  backupStamp,
  listBackups,
  makeBackup,
  nextBackupName,
  parseBackupName,
  parseFormerBackupName,
  pruneBackups,
} from '../../../src/config/thermal/backups.ts';
import { asOrdinaryUser, failureOf, put, scratchFolder } from '../scratch.ts';

const TIME = Date.UTC(2026, 10, 23, 10, 15, 30, 123);
const NAME = 'thermal_config.json.backup.20261123T101530.123Z';
const nameAt = (time: number) => nextBackupName(time, undefined);

describe('names', () => {
  it('contain the UTC time with milliseconds', () => {
    expect(backupStamp(TIME)).toBe('20261123T101530.123Z');
    expect(nameAt(TIME)).toBe(NAME);
    expect(parseBackupName(NAME)).toBe(TIME);
  });

  it('can be parsed and sort by time, for any time of a clock', () => {
    const time = fc.integer({ min: 0, max: 253_402_300_799_999 });
    fc.assert(
      fc.property(time, time, (one, other) => {
        expect(parseBackupName(nameAt(one))).toBe(one);
        expect(nameAt(one) < nameAt(other)).toBe(one < other);
      }),
    );
  });

  it.each([
    [-1, '19700101T000000.000Z'],
    [8.64e15, '99991231T235959.999Z'],
    [1.9, '19700101T000000.001Z'],
  ])('are valid for the extreme time %d', (time, stamp) => {
    expect(backupStamp(time)).toBe(stamp);
  });

  it.each([
    'thermal_config.json',
    'thermal_config.json.backup',
    'thermal_config.json.backup.',
    'thermal_config.json.backup.old',
    'thermal_config.json.backup.20261123',
    'thermal_config.json.backup.2026-11-23T10:15:30.123Z',
    'thermal_config.json.backup.20260230T101530.123Z',
    'thermal_config.json.backup.20261123T251530.123Z',
    `${NAME}.tmp`,
    `x${NAME}`,
    'provision.json.backup.20261123T101530.123Z',
  ])('of other files are not backup names: %s', (name) => {
    expect(parseBackupName(name)).toBeUndefined();
  });

  it.each([
    ['20251023_143000', new Date(2025, 9, 23, 14, 30).getTime()],
    ['19700101_000000', new Date(1970, 0, 1).getTime()],
    ['1761229800', 1_761_229_800_000],
    ['1761229800123', 1_761_229_800_123],
  ])('of the former client have local time, or seconds or milliseconds since the epoch: %s', (stamp, time) => {
    expect(parseFormerBackupName(`thermal_config.json.backup.${stamp}`)).toBe(time);
    expect(parseBackupName(`thermal_config.json.backup.${stamp}`)).toBeUndefined();
  });

  it("of the former client are taken in the device's time zone", () => {
    vi.stubEnv('TZ', 'Asia/Kolkata');
    onTestFinished(() => void vi.unstubAllEnvs());
    const time = parseFormerBackupName('thermal_config.json.backup.20251023_143000');
    expect(new Date(time ?? 0).toISOString()).toBe('2025-10-23T09:00:00.000Z');
  });

  it.each([
    ...['20250230_143000', '20251023_253000', '20251023_1430', '20251023-143000', '20251023T143000', '20251023143000'],
    ...['1', '20251023', '0761229800', '17612298001', '1761229800.tmp', '20251023_143000.gz', '', ' 1761229800'],
    '20261123T101530.123Z',
  ])('of other files are not those of the former client: %j', (stamp) => {
    expect(parseFormerBackupName(`thermal_config.json.backup.${stamp}`)).toBeUndefined();
    expect(parseFormerBackupName(`provision.json.backup.${stamp}`)).toBeUndefined();
  });

  it('always increase, even when the clock goes back or stops', () => {
    expect(parseBackupName(nextBackupName(TIME, TIME - 5))).toBe(TIME);
    expect(parseBackupName(nextBackupName(TIME, TIME))).toBe(TIME + 1);
    expect(parseBackupName(nextBackupName(0, TIME))).toBe(TIME + 1);
  });
});

describe('listBackups', () => {
  it('lists the newest first, with time and size, and leaves out other files', async () => {
    const folder = await scratchFolder();
    await put(join(folder, nameAt(TIME)), 'ab');
    await put(join(folder, nameAt(TIME + 2)), 'abcd');
    await put(join(folder, nameAt(TIME + 1)), 'abc');
    await put(join(folder, `${nameAt(TIME + 3)}.tmp`), 'half');
    await put(join(folder, 'thermal_config.json.backup.mine'), 'x');
    await mkdir(join(folder, nameAt(TIME + 4)));
    await symlink('/etc/hostname', join(folder, nameAt(TIME + 5)));
    expect(await listBackups(folder)).toEqual(
      [2, 1, 0].map((later) => {
        const name = nameAt(TIME + later);
        return { name, path: join(folder, name), time: TIME + later, former: false, size: later + 2 };
      }),
    );
  });

  it('lists those of the former client among the own ones, by their times', async () => {
    const folder = await scratchFolder();
    const local = new Date(2026, 10, 23, 14, 30, 5);
    const names = [
      `thermal_config.json.backup.${local.getTime() / 1000 + 1}`,
      'thermal_config.json.backup.20261123_143005',
      nameAt(local.getTime() - 1),
      'thermal_config.json.backup.1700000000',
    ];
    for (const name of [...names, 'thermal_config.json.backup.20261123_1430']) await put(join(folder, name), 'x');
    const backups = await listBackups(folder);
    expect(backups.map(({ name }) => name)).toEqual(names);
    expect(backups.map(({ former }) => former)).toEqual([true, true, false, true]);
  });

  it("reports a folder that can't be listed", async () => {
    const folder = await scratchFolder();
    expect((await failureOf(() => listBackups(join(folder, 'gone')))).code).toBe('DISK_ERROR');
    await mkdir(join(folder, 'closed'), { mode: 0o000 });
    const failure = await asOrdinaryUser(() => failureOf(() => listBackups(join(folder, 'closed'))));
    expect(failure.code).toBe('FILE_NOT_PERMITTED');
  });

  it('leaves out a file without readable attributes', async () => {
    const closed = join(await scratchFolder(), 'closed');
    await mkdir(closed);
    await put(join(closed, NAME), 'x');
    await chmod(closed, 0o444);
    expect(await asOrdinaryUser(() => listBackups(closed))).toEqual([]);
    await chmod(closed, 0o755);
  });
});

describe('makeBackup', () => {
  const bytes = Buffer.from([0x00, 0xff, 0x7b, 0x0a]);

  it('copies byte for byte, readable only by the owner', async () => {
    const folder = await scratchFolder();
    expect(await makeBackup(folder, NAME, bytes)).toEqual({ name: NAME, made: true });
    expect(await readFile(join(folder, NAME))).toEqual(bytes);
    expect((await stat(join(folder, NAME))).mode & 0o777).toBe(0o600);
    expect(await readdir(folder)).toEqual([NAME]);
  });

  it('makes no copy when the newest backup is equal', async () => {
    const folder = await scratchFolder();
    await makeBackup(folder, NAME, bytes);
    expect(await makeBackup(folder, NAME, bytes)).toEqual({ name: NAME, made: false });
    expect(await makeBackup(folder, nameAt(TIME + 9), bytes)).toEqual({ name: NAME, made: false });
    expect(await readdir(folder)).toEqual([NAME]);
  });

  it('makes a copy even if the former client has made the same one', async () => {
    const folder = await scratchFolder();
    await put(join(folder, 'thermal_config.json.backup.1900000000'), bytes, 0o600);
    expect(await makeBackup(folder, NAME, bytes)).toEqual({ name: NAME, made: true });
  });

  it('makes a copy when only an older backup is equal, or others can read the newest', async () => {
    const folder = await scratchFolder();
    await put(join(folder, nameAt(TIME)), bytes, 0o600);
    await put(join(folder, nameAt(TIME + 1)), 'other', 0o600);
    expect(await makeBackup(folder, nameAt(TIME + 2), bytes)).toEqual({ name: nameAt(TIME + 2), made: true });
    await put(join(folder, nameAt(TIME + 3)), bytes, 0o644);
    expect(await makeBackup(folder, nameAt(TIME + 4), bytes)).toEqual({ name: nameAt(TIME + 4), made: true });
  });

  it('finds its own copy again when others can read it, as on a file system without modes', async () => {
    const folder = await scratchFolder();
    await put(join(folder, NAME), bytes, 0o644);
    expect(await makeBackup(folder, NAME, bytes)).toEqual({ name: NAME, made: false });
    expect((await stat(join(folder, NAME))).mode & 0o777).toBe(0o600);
  });

  it('finds its own copy again after a newer backup was made', async () => {
    const folder = await scratchFolder();
    await makeBackup(folder, NAME, bytes);
    await put(join(folder, nameAt(TIME + 1)), 'other', 0o600);
    expect(await makeBackup(folder, NAME, bytes)).toEqual({ name: NAME, made: false });
  });

  it('copies an empty file too', async () => {
    const folder = await scratchFolder();
    expect(await makeBackup(folder, NAME, Buffer.alloc(0))).toEqual({ name: NAME, made: true });
    expect(await makeBackup(folder, NAME, Buffer.alloc(0))).toEqual({ name: NAME, made: false });
  });

  it('never overwrites another file with this name', async () => {
    const folder = await scratchFolder();
    await put(join(folder, NAME), 'older', 0o600);
    await mkdir(join(folder, nameAt(TIME + 1)));
    await symlink(join(folder, 'nowhere'), join(folder, nameAt(TIME + 2)));
    for (const later of [0, 1, 2]) {
      const failure = await failureOf(() => makeBackup(folder, nameAt(TIME + later), bytes));
      expect(failure.code).toBe('CONFIG_KEEPS_CHANGING');
      expect(failure.message).toContain('already exists');
    }
    expect(await readFile(join(folder, NAME), 'utf8')).toBe('older');
    expect(await readdir(folder)).not.toContain('nowhere');
  });

  it('reports a folder that is not writable', async () => {
    const folder = await scratchFolder();
    const closed = join(folder, 'closed');
    await mkdir(closed, { mode: 0o555 });
    const failure = await asOrdinaryUser(() => failureOf(() => makeBackup(closed, NAME, bytes)));
    expect(failure.code).toBe('FILE_NOT_PERMITTED');
    expect(await readdir(closed)).toEqual([]);
  });
});

describe('pruneBackups', () => {
  it('keeps the newest and foreign files, and removes unfinished copies', async () => {
    const folder = await scratchFolder();
    for (const later of [3, 1, 2, 0, 4]) await put(join(folder, nameAt(TIME + later)), String(later));
    await put(join(folder, `${nameAt(TIME + 9)}.tmp`), 'half');
    await put(join(folder, 'thermal_config.json.tmp'), 'not ours to remove');
    await put(join(folder, 'thermal_config.json.backup.mine'), 'x');
    const removed = await pruneBackups(folder, 2);
    expect(removed).toEqual([`${nameAt(TIME + 9)}.tmp`, nameAt(TIME + 2), nameAt(TIME + 1), nameAt(TIME)]);
    expect(new Set(await readdir(folder))).toEqual(
      new Set([nameAt(TIME + 4), nameAt(TIME + 3), 'thermal_config.json.tmp', 'thermal_config.json.backup.mine']),
    );
  });

  it('neither removes nor counts backups of the former client', async () => {
    const folder = await scratchFolder();
    const former = ['1900000000', '20991231_235959', '20250101_000000'].map(
      (stamp) => `thermal_config.json.backup.${stamp}`,
    );
    for (const name of [...former, `${former[1]}.tmp`, nameAt(TIME), nameAt(TIME + 1)])
      await put(join(folder, name), 'x');
    expect(await pruneBackups(folder, 1)).toEqual([nameAt(TIME)]);
    expect(await readdir(folder)).toHaveLength(5);
  });

  it('removes nothing when there are no more backups than to keep', async () => {
    const folder = await scratchFolder();
    await put(join(folder, NAME), 'x');
    expect(await pruneBackups(folder, 5)).toEqual([]);
    expect(await readdir(folder)).toEqual([NAME]);
  });

  it('removes all backups when none is to be kept', async () => {
    const folder = await scratchFolder();
    await put(join(folder, NAME), 'x');
    expect(await pruneBackups(folder, 0)).toEqual([NAME]);
  });
});
