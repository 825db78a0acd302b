import { symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { requireDeviceFolder } from '../../src/device/folder.ts';
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
