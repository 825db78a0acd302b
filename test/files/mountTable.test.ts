import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isMountPoint, mountOf, parseMountTable, readMountTable } from '../../src/files/mountTable.ts';
import { scratchFolder } from '../config/scratch.ts';

/** As after an initramfs: the root has a higher number than what it was mounted under, and is listed later. */
const BOOTED = [
  '22 28 0:21 / /proc rw,nosuid shared:5 - proc proc rw',
  '25 28 0:24 / /run rw,nosuid,noexec shared:6 - tmpfs tmpfs rw,size=795776k,mode=755',
  '28 1 179:2 / / rw,noatime shared:1 - ext4 /dev/mmcblk0p2 rw',
  '40 28 0:35 / /var/lib/my\\040camera rw shared:7 master:2 - overlay over\\134lay rw,lowerdir=/a,upperdir=/run/u\\054p',
].join('\n');

describe('parseMountTable', () => {
  it('reads the fields after any number of optional ones, and decodes octal escapes', () => {
    expect(parseMountTable(BOOTED).find(({ fileSystem }) => fileSystem === 'overlay')).toEqual({
      mountPoint: '/var/lib/my camera',
      fileSystem: 'overlay',
      source: 'over\\lay',
      device: '0:35',
      options: ['rw'],
      superOptions: ['rw', 'lowerdir=/a', 'upperdir=/run/u,p'],
    });
  });

  it('reads a mount point in UTF-8', () => {
    const line = Buffer.from('30 1 8:1 / /kamera/süd rw - ext4 /dev/sda1 rw\n').toString('latin1');
    expect(parseMountTable(line)[0]?.mountPoint).toBe('/kamera/süd');
  });

  it('leaves out lines that are not mounts', () => {
    expect(
      parseMountTable(
        '\n30 1 8:1 / /a rw\n30 1 8:1 / /a rw - ext4\n30 1 8:1\nnonsense\n30 1 8:1 / /a - ext4 /dev/sda1 rw\n',
      ),
    ).toEqual([]);
  });
});

describe('mountOf', () => {
  const sourceAt = (path: string, text: string) => mountOf(path, parseMountTable(text))?.source;

  it('finds the mount with the longest mount point, also when the root is listed last', () => {
    expect(sourceAt('/run/lock', BOOTED)).toBe('tmpfs');
    expect(sourceAt('/var/lib/my camera/x', BOOTED)).toBe('over\\lay');
    expect(sourceAt('/var/lib/my camera 2', BOOTED)).toBe('/dev/mmcblk0p2');
    expect(sourceAt('/', BOOTED)).toBe('/dev/mmcblk0p2');
  });

  it('finds the upper one of two mounts at one place', () => {
    const stacked = '1 0 8:1 / / rw - ext4 root rw\n3 2 8:3 / /a rw - ext4 upper rw\n2 1 8:2 / /a rw - ext4 lower rw';
    expect(sourceAt('/a/file', stacked)).toBe('upper');
  });

  it('does not find a mount that a later one at a folder above hides', () => {
    const hidden = '1 0 8:1 / / rw - ext4 root rw\n2 1 8:2 / /a/b rw - ext4 hidden rw\n3 1 8:3 / /a rw - ext4 over rw';
    expect(sourceAt('/a/b/file', hidden)).toBe('over');
    expect(sourceAt('/a/b/file', hidden.split('\n').reverse().join('\n'))).toBe('over');
  });

  it('finds a root that is its own parent, as in an initramfs', () => {
    expect(sourceAt('/a', '1 1 0:2 / / rw - rootfs rootfs rw')).toBe('rootfs');
  });

  it('finds none outside of all mounts, as after a chroot', () => {
    expect(sourceAt('/a', '30 7 8:1 / /b rw - ext4 /dev/sda1 rw')).toBeUndefined();
  });
});

describe('isMountPoint', () => {
  it('tells a mount point from a path below it', () => {
    const table = parseMountTable(BOOTED);
    expect(isMountPoint('/run', table)).toBe(true);
    expect(isMountPoint('/run/lock', table)).toBe(false);
    expect(isMountPoint('/', table)).toBe(true);
    expect(isMountPoint('/a', parseMountTable('30 7 8:1 / /b rw - ext4 /dev/sda1 rw'))).toBe(false);
  });
});

describe('readMountTable', () => {
  it('reads the mounts of this process', async () => {
    const table = (await readMountTable()) ?? [];
    expect(mountOf('/proc/self', table)?.fileSystem).toBe('proc');
  });

  it('reads nothing where there is no /proc, or from a file that is too long', async () => {
    const path = join(await scratchFolder(), 'mountinfo');
    expect(await readMountTable(path)).toBeNull();
    await writeFile(path, `${BOOTED}\n`.repeat(20_000));
    expect(await readMountTable(path)).toBeNull();
    await writeFile(path, '');
    expect(await readMountTable(path)).toBeNull();
  });
});
