import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseMountTable } from '../../src/files/mountTable.ts';
import { type Storage, storageOf } from '../../src/files/storage.ts';
import { scratchFolder } from '../config/scratch.ts';

/** What a system would say of its storage. */
export interface Given {
  /** Mounts below the root, which is ext4: mount point, device, type, source and options of the file system. */
  readonly mounts?: readonly (readonly [
    point: string,
    device: string,
    type: string,
    source: string,
    options?: string,
  ])[];
  readonly root?: string;
  readonly kernelCommandLine?: string;
  readonly sysfs?: string;
}

const ROOT = '179:2 / / rw - ext4 /dev/mmcblk0p2 rw';

/** The storage of a path on a system with these mounts. The path must exist, as everywhere. */
export function judged(
  path: string,
  { mounts = [], root = ROOT, kernelCommandLine = '', sysfs = '/nowhere' }: Given,
): Promise<Storage> {
  const lines = mounts.map(([point, device, type, source, options = 'rw'], index) => {
    const parent = mounts.slice(0, index).findLastIndex(([other]) => `${point}/`.startsWith(`${other}/`));
    return `${index + 2} ${parent === -1 ? 1 : parent + 2} ${device} / ${point} rw - ${type} ${source} ${options}`;
  });
  const table = parseMountTable([`1 0 ${root}`, ...lines].join('\n'));
  return storageOf(path, { table, kernelCommandLine, sysfs });
}

/** A folder with these subfolders. */
export async function folders(...names: readonly string[]): Promise<string> {
  const folder = await scratchFolder();
  for (const name of names) await mkdir(join(folder, name), { recursive: true });
  return folder;
}
