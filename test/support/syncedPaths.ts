import { readlinkSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import type { AtEnd } from './atEnd.ts';

/**
 * Records the path of every fsync of this process, in order.
 * @param before awaited before each fsync, as on a slow disk
 */
export async function syncedPaths(
  atEnd: AtEnd,
  before: (path: string) => Promise<void> | void = () => {},
): Promise<readonly string[]> {
  const paths: string[] = [];
  const handle = await open('/');
  const handles: Pick<FileHandle, 'sync'> = Object.getPrototypeOf(handle);
  await handle.close();
  const { sync } = handles;
  handles.sync = async function recorded(this: FileHandle) {
    const path = readlinkSync(`/proc/self/fd/${this.fd}`);
    paths.push(path);
    await before(path);
    await sync.call(this);
  };
  atEnd(() => {
    handles.sync = sync;
  });
  return paths;
}
