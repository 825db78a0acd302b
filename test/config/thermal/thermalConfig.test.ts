import { chmod, lchown, mkdir, realpath, stat, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { freshConfig } from '../../../src/config/thermal/credentialsSections.ts';
import {
  configWarnings,
  MAX_CONFIG_BYTES,
  readThermalConfig,
  THERMAL_CONFIG,
} from '../../../src/config/thermal/thermalConfig.ts';
import { credentials } from '../credentials.ts';
import { asOrdinaryUser, failureOf, makeFifo, put, scratchFolder } from '../scratch.ts';

const GOOD = freshConfig(credentials());
const isRoot = process.geteuid?.() === 0;
const codeOf = async (folder: string) => (await failureOf(() => readThermalConfig(folder))).code;

describe('a plain file', () => {
  it('is read with bytes, mode and owner', async () => {
    const folder = await realpath(await scratchFolder());
    const path = await put(join(folder, THERMAL_CONFIG), GOOD, 0o640);
    const { uid, gid } = await stat(path);
    expect(await readThermalConfig(folder)).toEqual({
      path,
      exists: true,
      bytes: GOOD,
      mode: 0o640,
      uid,
      gid,
      usable: true,
      problems: [],
    });
  });

  it('may break rules of the camera and is still usable', async () => {
    const folder = await scratchFolder();
    await put(join(folder, THERMAL_CONFIG), '{"thingsboard":{}}');
    const { usable, problems } = await readThermalConfig(folder);
    expect(usable).toBe(true);
    expect(problems).toContain('thingsboard.host: expected a non-empty string');
    expect(problems).toContain('telemetry: expected an object');
  });

  it.each<[string, string | Uint8Array, string]>([
    ['nothing', '', 'is empty'],
    ['zero bytes', new Uint8Array(4096), 'holds only zero bytes, as after a power loss'],
    ['half of UTF-16', Buffer.from([0xff, 0xfe, 0x7b]), 'is saved as UTF-16 and damaged: save it as UTF-8'],
    [
      'half an object',
      '{"thingsboard":{',
      'is not valid JSON: the file ends before its closing } } at line 1, column 17',
    ],
    ['null', 'null', 'holds null instead of a JSON object'],
    ['100,000 levels', '['.repeat(100_000), 'is nested deeper than 64 levels'],
    ['10 MB', Buffer.alloc(10_000_000, 'x'), 'is larger than 1048576 bytes'],
    ['a list for thingsboard', '{"thingsboard":[]}', 'has a value other than an object in thingsboard'],
    [
      'wrong sections',
      '{"thingsboard":null,"telemetry":1,"logging":"x","provisioning":[]}',
      'has a value other than an object in thingsboard and telemetry and logging and provisioning',
    ],
  ])('that holds %s is unusable, and the reason is given', async (_what, content, problem) => {
    const folder = await scratchFolder();
    await put(join(folder, THERMAL_CONFIG), content);
    const file = await readThermalConfig(folder);
    expect(file).toMatchObject({ exists: true, usable: false, problems: [problem] });
    expect(file.bytes?.equals(Buffer.from(content))).toBe(true);
  });

  it.each([
    ['a comment', '{"a":1} // x', 'is not valid JSON: a comment (JSON has none) at line 1, column 9'],
    ['a comma after the last entry', '{"a":1,}', 'is not valid JSON: a comma after the last entry at line 1, column 7'],
    ['UTF-16', Buffer.from('{"a":1}', 'utf16le'), 'is saved as UTF-16: save it as UTF-8'],
  ])('that holds %s is usable after a repair, though the camera refuses it', async (_what, content, problem) => {
    const folder = await scratchFolder();
    await put(join(folder, THERMAL_CONFIG), content);
    const file = await readThermalConfig(folder);
    expect(file).toMatchObject({ usable: true, problems: [problem], repair: { problem } });
    expect(String(file.repair?.bytes).trim()).toBe('{"a":1}');
    expect(file.bytes?.equals(Buffer.from(content))).toBe(true);
  });

  it('may have 16 MiB, but not one byte more', async () => {
    const folder = await scratchFolder();
    await put(join(folder, THERMAL_CONFIG), Buffer.alloc(MAX_CONFIG_BYTES, ' '));
    expect((await readThermalConfig(folder)).usable).toBe(false);
    await put(join(folder, THERMAL_CONFIG), Buffer.alloc(MAX_CONFIG_BYTES + 1, ' '));
    const failure = await failureOf(() => readThermalConfig(folder));
    expect(failure.code).toBe('CONFIG_TOO_LARGE');
    expect(failure.message).toContain(`${await realpath(join(folder, THERMAL_CONFIG))} is larger than 16777216 bytes`);
  });

  it.each([0o444, 0o400, 0o577, 0o000])(
    "without its owner's write bit (%o) must not be changed, even by root",
    async (mode) => {
      const folder = await scratchFolder();
      await put(join(folder, THERMAL_CONFIG), GOOD, mode);
      const failure = await failureOf(() => readThermalConfig(folder));
      expect(failure.code).toBe('CONFIG_READ_ONLY');
      expect(failure.message).toContain(THERMAL_CONFIG);
    },
  );

  it("without its owner's write bit may be read", async () => {
    const folder = await scratchFolder();
    await put(join(folder, THERMAL_CONFIG), GOOD, 0o444);
    expect(await readThermalConfig(folder, 'read')).toMatchObject({ mode: 0o444, usable: true });
  });

  it('that breaks rules of the camera is named in each warning', () => {
    expect(configWarnings(['telemetry: a', 'logging: b'])).toEqual([
      'thermal_config.json: telemetry: a',
      'thermal_config.json: logging: b',
    ]);
  });

  it('without read permission is refused', async () => {
    const folder = await scratchFolder();
    await put(join(folder, THERMAL_CONFIG), GOOD, 0o200);
    expect(await asOrdinaryUser(() => codeOf(folder))).toBe('CONFIG_UNREADABLE');
  });
});

describe('anything but a plain file', () => {
  it('missing: gives the path and mode of a new file', async () => {
    const folder = await realpath(await scratchFolder());
    expect(await readThermalConfig(folder)).toEqual({
      path: join(folder, THERMAL_CONFIG),
      exists: false,
      bytes: undefined,
      mode: 0o600,
      uid: -1,
      gid: -1,
      usable: false,
      problems: [],
    });
  });

  it('a folder and a FIFO are refused with any mode', async () => {
    const folder = await scratchFolder();
    await mkdir(join(folder, 'a', THERMAL_CONFIG), { recursive: true });
    await chmod(join(folder, 'a', THERMAL_CONFIG), 0o555);
    await mkdir(join(folder, 'b'));
    makeFifo(join(folder, 'b', THERMAL_CONFIG));
    expect(await codeOf(join(folder, 'a'))).toBe('CONFIG_UNREADABLE');
    expect(await codeOf(join(folder, 'b'))).toBe('CONFIG_UNREADABLE');
  });

  it('a device folder that does not exist, is a file, or can not be entered is refused', async () => {
    const folder = await scratchFolder();
    await put(join(folder, 'file'), '');
    await mkdir(join(folder, 'closed'));
    await chmod(join(folder, 'closed'), 0o000);
    expect(await codeOf(join(folder, 'gone'))).toBe('CONFIG_UNREADABLE');
    expect(await codeOf(join(folder, 'file'))).toBe('CONFIG_UNREADABLE');
    expect(await asOrdinaryUser(() => codeOf(join(folder, 'closed')))).toBe('CONFIG_UNREADABLE');
  });
});

describe('a symbolic link', () => {
  async function twoFolders(): Promise<{ readonly device: string; readonly other: string }> {
    const folder = await realpath(await scratchFolder());
    await mkdir(join(folder, 'device'));
    await mkdir(join(folder, 'other'));
    return { device: join(folder, 'device'), other: join(folder, 'other') };
  }

  it('is followed, even several links and through linked folders', async () => {
    const { device, other } = await twoFolders();
    await put(join(other, 'real.json'), GOOD, 0o604);
    await mkdir(join(other, 'deep'));
    await symlink(join(other, 'deep'), join(device, 'to-deep'));
    // `to-deep/..` is the folder `other`, not `device`.
    await symlink('to-deep/../second.json', join(device, THERMAL_CONFIG));
    await symlink(join(other, 'real.json'), join(other, 'second.json'));
    expect(await readThermalConfig(device)).toMatchObject({
      path: join(other, 'real.json'),
      mode: 0o604,
      usable: true,
    });
  });

  it('to a missing file is a missing file at its target', async () => {
    const { device, other } = await twoFolders();
    await symlink('../other/new.json', join(device, THERMAL_CONFIG));
    expect(await readThermalConfig(device)).toMatchObject({ path: join(other, 'new.json'), exists: false });
  });

  it('into a folder that does not exist is refused', async () => {
    const { device } = await twoFolders();
    await symlink('gone/new.json', join(device, THERMAL_CONFIG));
    expect(await codeOf(device)).toBe('CONFIG_UNREADABLE');
  });

  it('to a folder or to itself is refused', async () => {
    const { device, other } = await twoFolders();
    await symlink('..', join(device, THERMAL_CONFIG));
    expect(await codeOf(device)).toBe('CONFIG_UNREADABLE');
    await symlink(THERMAL_CONFIG, join(other, THERMAL_CONFIG));
    const failure = await failureOf(() => readThermalConfig(other));
    expect(failure.code).toBe('CONFIG_UNREADABLE');
    expect(failure.message).toContain('more than 40 symbolic links');
  });

  it('is followed 40 times in a row, as Linux does, but not once more', async () => {
    const { device, other } = await twoFolders();
    const ends = await put(join(other, '0'), GOOD);
    for (let link = 1; link < 41; link++) await symlink(String(link - 1), join(other, String(link)));
    await symlink('../other/39', join(device, THERMAL_CONFIG));
    expect(await readThermalConfig(device)).toMatchObject({ path: ends, usable: true });
    await symlink('40', join(other, THERMAL_CONFIG));
    expect((await failureOf(() => readThermalConfig(other))).message).toContain('more than 40 symbolic links');
  });

  it("to a name that can't exist is refused, and is not a missing file", async () => {
    const { device } = await twoFolders();
    await symlink('x'.repeat(300), join(device, THERMAL_CONFIG));
    expect(await codeOf(device)).toBe('CONFIG_UNREADABLE');
  });

  it('to a file whose reading fails is a disk error, which may pass', async () => {
    const { device } = await twoFolders();
    // The first page of an address space is never mapped.
    await symlink('/proc/self/mem', join(device, THERMAL_CONFIG));
    const failure = await failureOf(() => readThermalConfig(device));
    expect(failure.code).toBe('DISK_ERROR');
    expect(failure.message).toMatch(/Could not read \/proc\/\d+\/mem: EIO/);
  });

  it('to a file without a write bit must not be changed', async () => {
    const { device, other } = await twoFolders();
    await put(join(other, 'real.json'), GOOD, 0o444);
    await symlink(join(other, 'real.json'), join(device, THERMAL_CONFIG));
    expect(await codeOf(device)).toBe('CONFIG_READ_ONLY');
  });

  // Only root can change the owner of a link.
  it.runIf(isRoot)("owned by another user is not followed; owned by root or by the folder's owner it is", async () => {
    const { device, other } = await twoFolders();
    await put(join(other, 'real.json'), GOOD);
    await symlink(join(other, 'real.json'), join(device, THERMAL_CONFIG));
    await lchown(join(device, THERMAL_CONFIG), 12_345, 12_345);
    const failure = await failureOf(() => readThermalConfig(device));
    expect(failure.code).toBe('CONFIG_LINK_UNTRUSTED');
    expect(failure.message).toContain('user 12345');
    await lchown(device, 12_345, 12_345);
    expect((await readThermalConfig(device)).exists).toBe(true);
    await lchown(join(device, THERMAL_CONFIG), 0, 0);
    expect((await readThermalConfig(device)).exists).toBe(true);
  });
});
