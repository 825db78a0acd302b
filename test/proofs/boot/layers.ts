import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

export interface Layered {
  /** The root folder of a system on these layers. */
  readonly root: string;
  /** The changes to the layers below. */
  readonly upper: string;
}

const call = promisify(execFile);

/**
 * Mounts a new root file system over layers that do not change.
 * @param folder folder of the mount, which is created
 * @param lower layers below, topmost first
 */
export async function mountLayers(folder: string, lower: readonly string[]): Promise<Layered> {
  const root = join(folder, 'root');
  const upper = join(folder, 'upper');
  const work = join(folder, 'work');
  for (const path of [folder, root, upper, work]) await mkdir(path, { mode: 0o755 });
  const options = `lowerdir=${lower.join(':')},upperdir=${upper},workdir=${work}`;
  await call('mount', ['-t', 'overlay', '-o', options, 'overlay', root]);
  return { root, upper };
}

export async function unmount(path: string): Promise<void> {
  await call('umount', [path]);
}

/** A root file system that forgets every change. */
export interface RamLayer {
  readonly root: string;
  /** The mounts of the root's layers. A system that sees them under this path can tell what is in RAM. */
  readonly layers: string;
  unmount(): Promise<void>;
}

/** Mounts a root file system whose changes are in RAM, with the layers of the package overlayroot. */
export async function mountRamLayer(name: string, lower: string): Promise<RamLayer> {
  const layers = join('/media', name);
  const [readOnly, ram] = [join(layers, 'root-ro'), join(layers, 'root-rw')];
  for (const path of [readOnly, ram]) await mkdir(path, { recursive: true });
  await call('mount', ['--bind', lower, readOnly]);
  await call('mount', ['-t', 'tmpfs', '-o', 'mode=0755', 'tmpfs', ram]);
  const { root } = await mountLayers(join(ram, 'overlay'), [readOnly]);
  return {
    root,
    layers,
    unmount: async () => {
      for (const path of [root, ram, readOnly]) await unmount(path);
    },
  };
}
