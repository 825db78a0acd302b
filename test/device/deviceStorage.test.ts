import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { deviceStorage, storageTexts, unseenStorage, volatileStorage } from '../../src/device/deviceStorage.ts';
import { parseMountTable } from '../../src/files/mountTable.ts';
import { scratchFolder } from '../config/scratch.ts';

type Kind = 'card' | 'ram' | 'unseen';
const ON: Readonly<Record<Kind, string>> = {
  card: '8:1 / {} rw - ext4 /dev/sda1 rw',
  ram: '0:40 / {} rw - tmpfs tmpfs rw',
  unseen: '0:41 / {} rw - overlay overlay rw,upperdir=/not/here',
};

/** The storage of a device with its folders on such file systems. */
async function storageWith(kinds: { readonly device: Kind; readonly state: Kind; readonly config?: Kind }) {
  const folder = await scratchFolder();
  const paths = { deviceFolder: join(folder, 'device'), stateFolder: join(folder, 'state') };
  const config = join(folder, 'config');
  for (const path of [paths.deviceFolder, paths.stateFolder, config]) await mkdir(path);
  const mounted: readonly (readonly [string, Kind])[] = [
    [paths.deviceFolder, kinds.device],
    [paths.stateFolder, kinds.state],
    [config, kinds.config ?? 'card'],
  ];
  const lines = mounted.map(([path, kind], index) => `${index + 2} 1 ${ON[kind].replace('{}', path)}`);
  const table = parseMountTable(['1 0 8:0 / / rw - ext4 /dev/sda rw', ...lines].join('\n'));
  const sources = { table, kernelCommandLine: '', sysfs: '/nowhere' };
  return deviceStorage(paths, kinds.config === undefined ? undefined : config, sources);
}

describe('the storage of a device', () => {
  it.each([
    ['card', 'card', undefined, undefined],
    ['ram', 'ram', undefined, /each boot would register another device:\n- the device folder .*\n- the state folder /],
    ['card', 'ram', undefined, /loses the state folder, though not the device folder: .*:\n- the state folder [^\n]*$/],
    [
      'ram',
      'card',
      undefined,
      /loses the new credentials, though not the state folder: .*:\n- the device folder [^\n]*$/,
    ],
    ['card', 'card', 'ram', /loses the new credentials, .*:\n- the folder of thermal_config\.json [^\n]*$/],
    ['card', 'ram', 'ram', /each boot would register another device/],
    ['card', 'card', 'card', undefined],
    ['unseen', 'unseen', 'unseen', undefined],
  ] as const)(
    'is refused by the folders in RAM: device %s, state %s, configuration %s',
    async (device, state, config, message) => {
      const failure = volatileStorage(
        await storageWith({ device, state, ...(config === undefined ? {} : { config }) }),
      );
      expect(failure?.code).toBe(message === undefined ? undefined : 'VOLATILE_STORAGE');
      if (message !== undefined) expect(failure?.message).toMatch(message);
    },
  );

  it('is not certain on an overlay whose upper layer is not seen', async () => {
    expect(unseenStorage(await storageWith({ device: 'card', state: 'ram' }))).toBeUndefined();
    expect(unseenStorage(await storageWith({ device: 'unseen', state: 'card' }))).toMatch(
      /^What is written may not last: the device folder \S+device is on an overlay [^;]*\. In a container /,
    );
  });

  it('names a state folder in the device folder only if its storage is another', async () => {
    const deviceFolder = await scratchFolder();
    const stateFolder = join(deviceFolder, 'provision-state');
    const root = '1 0 8:0 / / rw - ext4 /dev/sda rw';
    const textsWith = async (more: string) => {
      const sources = { table: parseMountTable(`${root}\n${more}`), kernelCommandLine: '', sysfs: '/nowhere' };
      return storageTexts(await deviceStorage({ deviceFolder, stateFolder }, deviceFolder, sources));
    };
    expect(await textsWith('')).toEqual([`the device folder ${deviceFolder} is on ext4 (/dev/sda)`]);
    await mkdir(stateFolder);
    expect(await textsWith(`2 1 8:1 / ${stateFolder} rw - ext4 /dev/sdb rw`)).toHaveLength(2);
  });

  it('has no further folder if thermal_config.json is in the device folder, also through a link to it', async () => {
    const folder = await scratchFolder();
    await mkdir(join(folder, 'real'));
    await symlink('real', join(folder, 'link'));
    const paths = { deviceFolder: join(folder, 'link'), stateFolder: join(folder, 'link/provision-state') };
    const names = (await deviceStorage(paths, join(folder, 'real'))).map(({ name }) => name);
    expect(names).toEqual(['device folder', 'state folder']);
    const nowhere = { deviceFolder: '/nowhere/at/all', stateFolder: '/nowhere/state' };
    expect(await deviceStorage(nowhere, folder)).toHaveLength(3);
  });
});
