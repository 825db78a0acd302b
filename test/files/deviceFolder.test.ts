import { symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, test } from 'vitest';
import { requireDeviceFolder, requireStateFolder } from '../../src/device/folder.ts';
import { devicePaths } from '../../src/device/paths.ts';
import { makeFolder } from '../support/deviceFolder.ts';

test('a folder is accepted', async () => {
  const folder = await makeFolder(onTestFinished);
  expect((await requireDeviceFolder(folder)).isDirectory()).toBe(true);
});

test.each([
  ['nothing', 'none', 'There is no device folder'],
  ['something below a file', 'file/below', 'There is no device folder'],
  ['a file', 'file', 'is not a folder'],
])('%s is none', async (_what, name, message) => {
  const folder = await makeFolder(onTestFinished);
  await writeFile(join(folder, 'file'), '');
  const path = join(folder, name);
  await expect(requireDeviceFolder(path)).rejects.toMatchObject({
    code: 'DEVICE_FOLDER_MISSING',
    message: expect.stringContaining(message),
  });
  await expect(requireDeviceFolder(path)).rejects.toThrow(path);
});

test("a folder that can't be read is not absent", async () => {
  const loop = join(await makeFolder(onTestFinished), 'loop');
  await symlink('loop', loop);
  await expect(requireDeviceFolder(loop)).rejects.toMatchObject({ code: 'DISK_ERROR' });
});

describe('the state folder', () => {
  const required = async (name: string) => {
    const folder = await makeFolder(onTestFinished);
    await writeFile(join(folder, 'file'), '');
    await symlink('loop', join(folder, 'loop'));
    return requireStateFolder(devicePaths(join(folder, 'device'), join(folder, name)));
  };

  it.each(['.', 'new', 'loop/new', 'device/provision-state'])('%s is used or created', async (name) => {
    await expect(required(name)).resolves.toBeUndefined();
  });

  it.each([
    ['no/where', /does not exist and can't be created: there is no folder .*no$/],
    ['file/below', /there is no folder .*file$/],
    ['file', /^The state folder .*file is not a folder$/],
  ])('%s was mistyped: that is no fault of the storage', async (name, message) => {
    await expect(required(name)).rejects.toMatchObject({
      code: 'USAGE',
      exitStatus: 64,
      message: expect.stringMatching(message),
      hint: expect.stringContaining('--state-dir'),
    });
  });
});
