import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Storage } from '../../src/files/storage.ts';
import { folders, judged } from '../support/givenMounts.ts';

/** A simulated /sys with block devices: links by number and by name, as in the real one. */
async function blockDevices(devices: Readonly<Record<string, string>>): Promise<string> {
  const sys = await folders('dev/block', 'class/block');
  for (const [number, path] of Object.entries(devices)) {
    const folder = join(sys, 'devices', path);
    await mkdir(folder, { recursive: true });
    await symlink(folder, join(sys, 'dev/block', number));
    await symlink(folder, join(sys, 'class/block', path.slice(path.lastIndexOf('/') + 1)));
  }
  return sys;
}

describe('a block device in RAM', () => {
  const onDevice = async (sysfs: string, device: string, source = '/dev/mapper/data'): Promise<Storage> => {
    const folder = await folders();
    return judged(folder, { sysfs, mounts: [[folder, device, 'ext4', source]] });
  };

  it.each(['zram0', 'ram1', 'zram0/zram0p1'])('is %s', async (path) => {
    const sysfs = await blockDevices({ '252:0': path });
    expect(await onDevice(sysfs, '252:0')).toMatchObject({
      kind: 'volatile',
      text: expect.stringMatching(/^ext4 \(mounted at .*\) on \/dev\/z?ram\d(p1)?, which is kept in RAM$/),
    });
  });

  it('is found by the name of the source, if the file system has no device number of its own', async () => {
    const sysfs = await blockDevices({ '252:0': 'zram0' });
    // Every machine has /dev/null, but not every one /dev/zram0.
    await symlink(join(sysfs, 'devices/zram0'), join(sysfs, 'class/block/null'));
    expect((await onDevice(sysfs, '0:50', '/dev/null')).kind).toBe('volatile');
    const other = join(await folders(), 'zram0');
    await writeFile(other, '');
    expect((await onDevice(sysfs, '0:50', other)).kind).toBe('lasting');
  });

  it('is not a card or a disk', async () => {
    const sysfs = await blockDevices({ '179:2': 'mmcblk0/mmcblk0p2', '8:1': 'sda/sda1', '9:1': 'nvram0' });
    expect((await onDevice(sysfs, '9:1')).kind).toBe('lasting');
    expect((await onDevice(sysfs, '179:2')).kind).toBe('lasting');
    expect((await onDevice(sysfs, '8:1')).kind).toBe('lasting');
  });

  it.each(['loop3', 'loop3/loop3p1'])('is %s with a file in RAM, also below a volume', async (path) => {
    const sysfs = await blockDevices({ '7:3': path, '253:0': 'dm-0' });
    const folder = await folders('ram', 'device');
    const image = join(folder, 'ram', 'image');
    await mkdir(join(sysfs, 'devices/loop3/loop'), { recursive: true });
    await writeFile(join(sysfs, 'devices/loop3/loop/backing_file'), `${image}\n`);
    await mkdir(join(sysfs, 'devices/dm-0/slaves'));
    await symlink(join(sysfs, 'devices', path), join(sysfs, 'devices/dm-0/slaves/loop3'));
    const device = join(folder, 'device');
    const on = (number: string) =>
      judged(device, {
        sysfs,
        mounts: [
          [join(folder, 'ram'), '0:40', 'tmpfs', 'tmpfs'],
          [device, number, 'ext4', '/dev/x'],
        ],
      });
    // Without the file, its path may be of another mount name space.
    expect((await on('7:3')).kind).toBe('lasting');
    await writeFile(image, '');
    for (const number of ['7:3', '253:0']) {
      expect(await on(number)).toMatchObject({
        kind: 'volatile',
        text: expect.stringMatching(/ on \/dev\/loop3(p1)?, whose file .*image is on a tmpfs /),
      });
    }
    // A read-only part of a volume holds nothing of what is written.
    await writeFile(join(sysfs, 'devices', path, 'ro'), '1\n');
    expect((await on('253:0')).kind).toBe('lasting');
    await writeFile(join(sysfs, 'devices', path, 'ro'), '0\n');
    await writeFile(join(sysfs, 'devices/loop3/loop/backing_file'), `${device}\n`);
    expect((await on('253:0')).kind).toBe('lasting');
  });

  it('is any part of a volume', async () => {
    const sysfs = await blockDevices({ '253:0': 'dm-0', '8:1': 'sda', '252:0': 'zram0' });
    await mkdir(join(sysfs, 'devices/dm-0/slaves'));
    for (const part of ['sda', 'zram0']) {
      await symlink(join(sysfs, 'devices', part), join(sysfs, 'devices/dm-0/slaves', part));
    }
    expect((await onDevice(sysfs, '253:0')).text).toContain('on /dev/zram0, which is kept in RAM');
  });

  it('is not looked for without end', async () => {
    const sysfs = await blockDevices({ '253:0': 'dm-0' });
    await mkdir(join(sysfs, 'devices/dm-0/slaves'));
    await symlink(join(sysfs, 'devices/dm-0'), join(sysfs, 'devices/dm-0/slaves/dm-0'));
    expect((await onDevice(sysfs, '253:0')).kind).toBe('lasting');
  });
});
