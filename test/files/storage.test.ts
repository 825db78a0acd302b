import { chmod, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseMountTable } from '../../src/files/mountTable.ts';
import { readStorageSources, type Storage, sharedStorageOf, storageOf } from '../../src/files/storage.ts';
import { asOrdinaryUser } from '../config/scratch.ts';
import { folders, type Given, judged } from '../support/givenMounts.ts';

const OVERLAY_ROOT = '0:30 / / rw - overlay overlay rw,lowerdir=/lower,upperdir=/upper/upper,workdir=/upper/work';
const DOCKER = '/var/lib/docker/overlay2/3f1c/diff';

async function overlayAt(upperdir: string, more: Given & { readonly options?: string } = {}): Promise<Storage> {
  const folder = await folders('device');
  const device = join(folder, 'device');
  return judged(device, {
    ...more,
    mounts: [
      ...(more.mounts ?? []),
      [device, '0:31', 'overlay', 'overlay', `rw,lowerdir=/l,upperdir=${upperdir},workdir=/w${more.options ?? ''}`],
    ],
  });
}

describe('what is written outlasts a reboot', () => {
  it('on a file system on a card, and is named with its source', async () => {
    expect(await judged(await folders(), {})).toEqual({ kind: 'lasting', text: 'ext4 (/dev/mmcblk0p2)' });
  });

  it.each([
    ['nfs4', 'server:/export'],
    ['virtiofs', 'share'],
    ['9p', 'host'],
    ['zfs', 'pool/data'],
    ['fuse.sshfs', 'host:'],
    ['ubifs', 'ubi0:data'],
  ])('on %s', async (type, source) => {
    const folder = await folders();
    expect((await judged(folder, { mounts: [[folder, '0:40', type, source]] })).kind).toBe('lasting');
  });

  it('on a volume that is mounted over a folder in RAM', async () => {
    const folder = await folders('state');
    const state = join(folder, 'state');
    const mounts = [
      [folder, '0:40', 'tmpfs', 'tmpfs'],
      [state, '8:1', 'ext4', '/dev/sda1'],
    ] as const;
    expect((await judged(state, { mounts })).kind).toBe('lasting');
    expect((await judged(folder, { mounts })).kind).toBe('volatile');
  });

  it('on an overlay whose upper layer is on a card', async () => {
    const folder = await folders('upper');
    expect(await overlayAt(join(folder, 'upper'))).toMatchObject({
      kind: 'lasting',
      text: expect.stringMatching(
        /^an overlay \(mounted at .*\) whose upper layer .*upper is on ext4 \(\/dev\/mmcblk0p2\)$/,
      ),
    });
  });

  it.each([',nonvolatile', ',volatile_x'])(
    'on an overlay with an option that only resembles volatile: %s',
    async (options) => {
      const folder = await folders('upper');
      expect((await overlayAt(join(folder, 'upper'), { options })).kind).toBe('lasting');
    },
  );

  it('as far as is known without a mount table, and outside of all mounts', async () => {
    const sources = { kernelCommandLine: 'boot=overlay', sysfs: '/nowhere' };
    expect(await storageOf('/', { ...sources, table: null })).toEqual({
      kind: 'lasting',
      text: 'storage of an unknown kind',
    });
    const elsewhere = parseMountTable('7 1 0:40 / /elsewhere rw - tmpfs tmpfs rw');
    expect((await storageOf('/', { ...sources, table: elsewhere })).kind).toBe('lasting');
  });
});

describe('a reboot loses what is written', () => {
  it.each(['tmpfs', 'ramfs', 'devtmpfs'])('on %s', async (type) => {
    const folder = await folders();
    expect(await judged(folder, { mounts: [[folder, '0:40', type, 'none']] })).toEqual({
      kind: 'volatile',
      text: `a ${type} (mounted at ${folder}), which is kept in RAM`,
    });
  });

  it('on the content of an initramfs', async () => {
    expect((await judged('/', { root: '0:2 / / rw - rootfs rootfs rw' })).kind).toBe('volatile');
  });

  it('in a folder that does not exist yet, below a folder in RAM', async () => {
    const folder = await folders();
    const mounts = [[folder, '0:40', 'tmpfs', 'tmpfs']] as const;
    expect((await judged(join(folder, 'provision-state', 'deep'), { mounts })).kind).toBe('volatile');
  });

  it('behind a symbolic link into RAM, but not beside it', async () => {
    const folder = await folders('ram');
    await symlink('ram', join(folder, 'link'));
    const mounts = [[join(folder, 'ram'), '0:40', 'tmpfs', 'tmpfs']] as const;
    expect((await judged(join(folder, 'link'), { mounts })).kind).toBe('volatile');
    expect((await judged(folder, { mounts })).kind).toBe('lasting');
    expect((await judged(join(folder, 'link', 'absent'), { mounts })).kind).toBe('volatile');
    await writeFile(join(folder, 'file'), '');
    expect((await judged(join(folder, 'file', 'below'), { mounts })).kind).toBe('lasting');
  });

  it('in RAM below a folder that this user may not enter', async () => {
    const folder = await folders('closed/ram');
    await chmod(join(folder, 'closed'), 0o700);
    const ram = join(folder, 'closed', 'ram');
    const mounts = [[ram, '0:40', 'tmpfs', 'tmpfs']] as const;
    expect((await asOrdinaryUser(() => judged(ram, { mounts }))).kind).toBe('volatile');
  });

  it('on an overlay whose upper layer is in RAM, over any number of overlays', async () => {
    const folder = await folders('ram/upper', 'second');
    const ram = join(folder, 'ram');
    const mounts = [
      [ram, '0:40', 'tmpfs', 'tmpfs'],
      [join(folder, 'second'), '0:41', 'overlay', 'overlay', `rw,upperdir=${join(ram, 'upper')}`],
    ] as const;
    expect(await overlayAt(join(ram, 'upper'), { mounts })).toMatchObject({
      kind: 'volatile',
      text: expect.stringMatching(
        /^an overlay .* whose upper layer .*ram\/upper is on a tmpfs .*, which is kept in RAM$/,
      ),
      inUpper: join(ram, 'upper'),
    });
    expect((await overlayAt(join(folder, 'second'), { mounts })).kind).toBe('volatile');
  });

  it('on an overlay over the very folder in RAM that holds its upper layer', async () => {
    const folder = await folders('device');
    const device = join(folder, 'device');
    const mounts = [
      [device, '0:40', 'tmpfs', 'tmpfs'],
      [device, '0:41', 'overlay', 'overlay', `rw,upperdir=${join(device, 'upper')}`],
    ] as const;
    expect((await judged(device, { mounts })).kind).toBe('volatile');
  });

  it('on an overlay whose upper layer only root may look at', async () => {
    const folder = await folders('ram/closed/upper');
    const ram = join(folder, 'ram');
    await chmod(join(ram, 'closed'), 0o700);
    const mounts = [[ram, '0:40', 'tmpfs', 'tmpfs']] as const;
    const storage = await asOrdinaryUser(() => overlayAt(join(ram, 'closed', 'upper'), { mounts }));
    expect(storage.kind).toBe('volatile');
  });

  it.each([',volatile', ',fsync=volatile'])('on an overlay without any sync, with %s', async (options) => {
    const folder = await folders('upper');
    expect(await overlayAt(join(folder, 'upper'), { options })).toMatchObject({
      kind: 'volatile',
      text: expect.stringContaining('option volatile'),
    });
  });

  it.each([
    ['raspi-config', 'console=tty1 boot=overlay root=PARTUUID=1-02 rootwait', 'boot=overlay'],
    ['overlayroot', 'root=/dev/sda1 overlayroot=tmpfs:recurse=0', 'overlayroot=tmpfs:recurse=0'],
    ['overlayroot in quotes', 'overlayroot="tmpfs" quiet\n', 'overlayroot="tmpfs"'],
    ['systemd', 'ro systemd.volatile=overlay', 'systemd.volatile=overlay'],
    ['live-boot', 'boot=live components', 'boot=live'],
    ['casper', 'boot=casper quiet', 'boot=casper'],
    ['dracut', 'root=live:CDLABEL=x rd.live.image', 'rd.live.image'],
    ['live-boot, with a word like persistence', 'boot=live nopersistence', 'boot=live'],
    ['casper, with a word like persistent', 'boot=casper nopersistent', 'boot=casper'],
    ['dracut, with a word like its overlay', 'rd.live.image my.rd.live.overlay=1', 'rd.live.image'],
  ])('on a root that an initramfs has made an overlay in RAM: %s', async (_who, kernelCommandLine, option) => {
    const storage = await judged('/', { root: OVERLAY_ROOT, kernelCommandLine });
    expect(storage.kind).toBe('volatile');
    expect(storage.text).toContain(`(${option} in the kernel's command line)`);
  });
});

describe('it is not known whether what is written outlasts a reboot', () => {
  it.each([
    ['nothing', ''],
    ['words that contain its words', 'noboot=overlay xoverlayroot=tmpfs xsystemd.volatile=overlay xrd.live.image'],
    ['words that start with its words', 'boot=overlayfs systemd.volatile=overlays boot=lively boot=caspers'],
    ['words that end with its words', 'noboot=live noboot=casper'],
    ['an overlay on a disk', 'overlayroot=device:dev=/dev/sda2'],
    ['no overlay', 'overlayroot=disabled boot=local'],
    ['persistence of live-boot', 'boot=live persistence'],
    ['persistence of casper', 'boot=casper persistent'],
    ['an overlay of dracut on a disk', 'rd.live.image rd.live.overlay=LABEL=data'],
  ])('on an overlay of which the kernel command line says: %s', async (_what, kernelCommandLine) => {
    expect(await judged('/', { root: OVERLAY_ROOT, kernelCommandLine })).toEqual({
      kind: 'unseen',
      text: "an overlay (mounted at /) whose upper layer can't be seen from here",
      inUpper: null,
    });
  });

  it("in a container, because the kernel's command line is that of its host", async () => {
    const root = `0:30 / / rw - overlay overlay rw,lowerdir=/l,upperdir=${DOCKER}`;
    expect((await judged('/', { root, kernelCommandLine: 'boot=overlay' })).kind).toBe('unseen');
  });

  it('in a container with a folder in RAM at the place that its upper layer has on the host', async () => {
    const folder = await folders('lib');
    const lib = join(folder, 'lib');
    expect((await overlayAt(join(lib, 'layers/diff'), { mounts: [[lib, '0:40', 'tmpfs', 'tmpfs']] })).kind).toBe(
      'unseen',
    );
  });

  it.each(['relative/upper', 'src', '/dev/null/x'])('on an overlay with the upper layer %s', async (upper) => {
    expect((await overlayAt(upper)).kind).toBe('unseen');
  });

  it('on an overlay whose upper layer is outside of all mounts', async () => {
    expect((await overlayAt('/usr', { root: '8:1 / /elsewhere rw - ext4 /dev/sda1 rw' })).kind).toBe('unseen');
  });

  it('on an overlay that is not the root, whatever the kernel command line says', async () => {
    expect((await overlayAt('/not/here', { kernelCommandLine: 'boot=overlay' })).kind).toBe('unseen');
  });

  it('on an overlay that names no upper layer', async () => {
    const folder = await folders();
    const mounts = [[folder, '0:44', 'fuse.fuse-overlayfs', 'fuse-overlayfs']] as const;
    expect((await judged(folder, { mounts })).kind).toBe('unseen');
    for (const type of ['overlayfs', 'aufs']) {
      expect((await judged(folder, { mounts: [[folder, '0:44', type, 'none']] })).kind).toBe('unseen');
    }
  });
});

describe('the storage of several paths', () => {
  it('is found out once for each mount, but on an overlay for each path', async () => {
    const folder = await folders('one', 'two', 'ram', 'overlay/one', 'overlay/two', 'upper');
    const at = (path: string): string => join(folder, path);
    const table = parseMountTable(
      [
        '1 0 8:0 / / rw - ext4 /dev/sda rw',
        `2 1 0:40 / ${at('ram')} rw - tmpfs tmpfs rw`,
        `3 1 0:41 / ${at('overlay')} rw - overlay overlay rw,upperdir=${at('upper')}`,
      ].join('\n'),
    );
    const shared = sharedStorageOf({ table, kernelCommandLine: '', sysfs: '/nowhere' });
    const found = await shared(at('one'));
    expect(found).toEqual({ kind: 'lasting', text: 'ext4 (/dev/sda)' });
    expect(await shared(at('two'))).toBe(found);
    expect((await shared(at('ram'))).kind).toBe('volatile');
    expect((await shared(at('overlay/one'))).inUpper).toBe(at('upper/one'));
    expect((await shared(at('overlay/two'))).inUpper).toBe(at('upper/two'));
  });
});

describe('the storage of this machine', () => {
  it('is known: /dev/shm is in RAM', async () => {
    const sources = await readStorageSources();
    expect(sources.kernelCommandLine).not.toBe('');
    expect(sources.sysfs).toBe('/sys');
    expect((await storageOf('/dev/shm', sources)).kind).toBe('volatile');
  });

  it('is unknown without /proc', async () => {
    expect(await readStorageSources('/nowhere')).toMatchObject({ table: null, kernelCommandLine: '' });
  });

  it('outlasts a reboot where the tests work', async () => {
    const folder = await folders();
    expect((await storageOf(dirname(folder), await readStorageSources())).kind).not.toBe('volatile');
  });
});
