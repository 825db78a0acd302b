import { readlinkSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import type { AtEnd } from './atEnd.ts';

/** Records the path of every fsync of this process, in order. The files are synced as usual. */
export async function syncedPaths(atEnd: AtEnd): Promise<readonly string[]> {
  const paths: string[] = [];
  const handle = await open('/');
  const handles: Pick<FileHandle, 'sync'> = Object.getPrototypeOf(handle);
  await handle.close();
  const { sync } = handles;
  handles.sync = function recorded(this: FileHandle) {
    paths.push(readlinkSync(`/proc/self/fd/${this.fd}`));
    return sync.call(this);
  };
  atEnd(() => {
    handles.sync = sync;
  });
  return paths;
}
