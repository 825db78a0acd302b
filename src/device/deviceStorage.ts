import { realpath } from 'node:fs/promises';
import { Failure } from '../failures/failure.ts';
import { readStorageSources, type Storage, type StorageSources, sharedStorageOf } from '../files/storage.ts';
import type { DevicePaths } from './paths.ts';

/** One folder that a run writes to. */
export interface FolderStorage {
  readonly name: 'device folder' | 'state folder' | 'folder of thermal_config.json';
  readonly folder: string;
  readonly storage: Storage;
}

/**
 * The storage of all folders that a run writes to.
 * @param configFolder the folder in which thermal_config.json is replaced: that of the link's target; default: no link
 */
export async function deviceStorage(
  { deviceFolder, stateFolder }: Pick<DevicePaths, 'deviceFolder' | 'stateFolder'>,
  configFolder?: string,
  sources?: StorageSources,
): Promise<readonly FolderStorage[]> {
  const known = sources ?? (await readStorageSources());
  const own = configFolder === deviceFolder ? deviceFolder : await realpath(deviceFolder).catch(() => deviceFolder);
  const folders: Omit<FolderStorage, 'storage'>[] = [
    { name: 'device folder', folder: deviceFolder },
    { name: 'state folder', folder: stateFolder },
  ];
  if (configFolder !== undefined && configFolder !== own) {
    folders.push({ name: 'folder of thermal_config.json', folder: configFolder });
  }
  const storageOf = sharedStorageOf(known);
  return Promise.all(folders.map(async (each) => ({ ...each, storage: await storageOf(each.folder) })));
}

/** For messages: `the device folder /d is on …`. A folder in a listed one on the same storage is left out. */
export const storageTexts = (folders: readonly FolderStorage[]): readonly string[] =>
  folders
    .filter(
      ({ folder, storage }) =>
        !folders.some((other) => folder.startsWith(`${other.folder}/`) && storage.text === other.storage.text),
    )
    .map(({ name, folder, storage }) => `the ${name} ${folder} is on ${storage.text}`);

/** Why a run on this storage could not keep what it writes: VOLATILE_STORAGE; undefined: nothing shows that. */
export function volatileStorage(folders: readonly FolderStorage[]): Failure | undefined {
  const lost = folders.filter(({ storage }) => storage.kind === 'volatile');
  if (lost.length === 0) return undefined;
  const facts = { problems: storageTexts(lost) };
  if (lost.every(({ name }) => name !== 'state folder')) return new Failure('VOLATILE_STORAGE', 'configuration', facts);
  const isStateOnly = lost.every(({ name }) => name === 'state folder');
  return new Failure('VOLATILE_STORAGE', isStateOnly ? 'state' : 'everything', facts);
}

/** For a camera with a board secret: what a reboot loses. undefined: nothing shows that it loses anything. */
export function recoverableStorage(folders: readonly FolderStorage[]): string | undefined {
  const lost = storageTexts(folders.filter(({ storage }) => storage.kind === 'volatile'));
  if (lost.length === 0) return undefined;
  return `A reboot loses what provisioning writes; the board secret then brings the same device back: ${lost.join('; ')}`;
}

/** A warning for the folders of which it is not known whether they outlast a reboot; undefined: there is none. */
export function unseenStorage(folders: readonly FolderStorage[]): string | undefined {
  const unseen = storageTexts(folders.filter(({ storage }) => storage.kind === 'unseen'));
  if (unseen.length === 0) return undefined;
  return `What is written may not last: ${unseen.join('; ')}. In a container it is lost with the container`;
}
