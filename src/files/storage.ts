import { readdir, realpath } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative } from 'node:path';
import { errnoOf, isENOENT } from '../failures/fileFailure.ts';
import { type Mount, mountOf, readMountTable } from './mountTable.ts';
import { readLimited } from './readLimited.ts';

/** Whether storage outlasts a reboot. */
export interface Storage {
  /** `unseen`: an overlay whose upper layer can't be found. Nothing says that it is in RAM. */
  readonly kind: 'lasting' | 'volatile' | 'unseen';
  /** What it is, for messages: `a tmpfs (mounted at /run), which is kept in RAM`. */
  readonly text: string;
  /** Where an overlay writes this path; null: that can't be seen. Absent: not an overlay. */
  readonly inUpper?: string | null;
  /** Where an overlay finds this path until it is written, topmost first. These paths need not be visible. */
  readonly inLower?: readonly string[];
}

/** What is known of the system's storage. */
export interface StorageSources {
  /** Null: there is no mount table, so nothing is known. */
  readonly table: readonly Mount[] | null;
  /** /proc/cmdline */
  readonly kernelCommandLine: string;
  /** /sys */
  readonly sysfs: string;
}

const MAX_COMMAND_LINE_BYTES = 64 * 1024;
const MAX_SYSFS_BYTES = 8192;
/** Overlays on loop devices on overlays and so on. */
const MAX_LAYERS = 8;

/** File systems that the kernel keeps in RAM. `rootfs` is the content of an initramfs. */
const IN_RAM = new Set(['tmpfs', 'ramfs', 'devtmpfs', 'rootfs']);
const OVERLAYS = new Set(['overlay', 'overlayfs', 'aufs', 'fuse.fuse-overlayfs']);

/**
 * Options of the kernel with which an initramfs mounts the root as an overlay whose upper layer is in RAM, and the
 * option that makes this layer lasting: raspi-config, overlayroot, systemd-volatile-root, live-boot, casper, dracut.
 */
const VOLATILE_ROOTS: readonly { readonly option: RegExp; readonly unless?: RegExp }[] = [
  { option: /^boot=overlay$/ },
  { option: /^overlayroot="?tmpfs/ },
  { option: /^systemd\.volatile=overlay$/ },
  { option: /^boot=live$/, unless: /^persisten/ },
  { option: /^boot=casper$/, unless: /^persistent/ },
  { option: /^rd\.live\.image/, unless: /^rd\.live\.overlay=/ },
];

/** Upper layers of container engines. The kernel's command line is the host's, so it says nothing of them. */
const CONTAINER_LAYER = /\/(docker|overlay2|containerd|containers|balena-engine|machines|lxc)\//;

/** Reads what the kernel says about storage. Nothing is known where there is no /proc. */
export async function readStorageSources(proc = '/proc'): Promise<StorageSources> {
  const commandLine = await readLimited(join(proc, 'cmdline'), MAX_COMMAND_LINE_BYTES);
  return {
    table: await readMountTable(join(proc, 'self/mountinfo')),
    kernelCommandLine: commandLine.ok ? commandLine.bytes.toString('utf8') : '',
    sysfs: '/sys',
  };
}

/** The path without symbolic links; of a path that does not exist, the nearest folder above it. */
async function existing(path: string): Promise<string> {
  for (let at = path; at !== dirname(at); at = dirname(at)) {
    try {
      return await realpath(at);
    } catch (error) {
      if (!isENOENT(error)) return at;
    }
  }
  return '/';
}

type Known = StorageSources & { readonly table: readonly Mount[] };

const knownOf = ({ table, ...sources }: StorageSources): Known => ({ ...sources, table: table ?? [] });

/**
 * Finds out whether what is written at a path outlasts a reboot. Storage of which nothing is known counts as lasting.
 * @param path absolute; it does not have to exist
 */
export async function storageOf(path: string, sources: StorageSources): Promise<Storage> {
  return judge(await existing(path), knownOf(sources), MAX_LAYERS);
}

/**
 * `storageOf` for several paths at one time: what the kernel says of a block device is read once for all paths on one
 * mount.
 */
export function sharedStorageOf(sources: StorageSources): (path: string) => Promise<Storage> {
  const known = knownOf(sources);
  const ofMount = new Map<Mount | undefined, Promise<Storage>>();
  return async (given) => {
    const path = await existing(given);
    const mount = mountOf(path, known.table);
    const storage = ofMount.get(mount) ?? judge(path, known, MAX_LAYERS);
    // The storage of an overlay depends on the path.
    if (mount === undefined || !OVERLAYS.has(mount.fileSystem)) ofMount.set(mount, storage);
    return storage;
  };
}

const lasting = (text: string): Storage => ({ kind: 'lasting', text });

async function judge(path: string, sources: Known, layersLeft: number): Promise<Storage> {
  const mount = mountOf(path, sources.table);
  if (mount === undefined || layersLeft === 0) return lasting('storage of an unknown kind');
  const { fileSystem, mountPoint, source } = mount;
  if (IN_RAM.has(fileSystem)) {
    return { kind: 'volatile', text: `a ${fileSystem} (mounted at ${mountPoint}), which is kept in RAM` };
  }
  if (OVERLAYS.has(fileSystem)) return judgeOverlay(path, mount, sources, layersLeft);
  const inRam = await blockDeviceInRam(mount, sources, layersLeft);
  if (inRam !== undefined) return { kind: 'volatile', text: `${fileSystem} (mounted at ${mountPoint}) on ${inRam}` };
  return lasting(`${fileSystem} (${source})`);
}

async function judgeOverlay(path: string, mount: Mount, sources: Known, layersLeft: number): Promise<Storage> {
  const overlay = `an overlay (mounted at ${mount.mountPoint})`;
  // Newer kernels show it as fsync=volatile.
  if (mount.superOptions.some((option) => /^(fsync=)?volatile$/.test(option))) {
    return {
      kind: 'volatile',
      text: `${overlay} with the option volatile, which leaves out every sync`,
      inUpper: null,
    };
  }
  const given = mount.superOptions.find((option) => option.startsWith('upperdir='))?.slice('upperdir='.length);
  const upper = given === undefined ? undefined : await visibleUpper(given, mount, sources);
  if (upper !== undefined) {
    const { kind, text } = await judge(upper.path, { ...sources, table: upper.table }, layersLeft - 1);
    const within = relative(mount.mountPoint, path);
    const inLower = lowerLayers(mount).map((layer) => join(layer, within));
    const inUpper = join(upper.path, within);
    return { kind, text: `${overlay} whose upper layer ${upper.path} is on ${text}`, inUpper, inLower };
  }
  const option = CONTAINER_LAYER.test(given ?? '') ? undefined : volatileRoot(mount, sources);
  if (option !== undefined) {
    const text = `${overlay} whose upper layer is in RAM (${option} in the kernel's command line)`;
    return { kind: 'volatile', text, inUpper: null };
  }
  return { kind: 'unseen', text: `${overlay} whose upper layer can't be seen from here`, inUpper: null };
}

/** Newer kernels show each layer in an option of its own. */
const lowerLayers = ({ superOptions }: Mount): readonly string[] =>
  superOptions.flatMap((option) => /^lowerdir\+?=(.*)$/.exec(option)?.[1]?.split(':') ?? []);

/** The upper layer and the mounts without the overlay. undefined: this process does not see the upper layer. */
async function visibleUpper(
  given: string,
  overlay: Mount,
  { table }: Known,
): Promise<{ readonly path: string; readonly table: readonly Mount[] } | undefined> {
  if (!isAbsolute(given)) return undefined;
  // A bind mount of the overlay has the same device number.
  const below = table.filter(({ device }) => device !== overlay.device);
  // The overlay covers the file system of its own upper layer, so the layer can't be reached by its path.
  const isCovered = mountOf(given, table) !== mountOf(given, below);
  // Another error than EACCES: the path is of another mount name space, for example of the host of a container.
  const real = (): Promise<string | undefined> =>
    realpath(given).catch((error: unknown) => (errnoOf(error) === 'EACCES' ? given : undefined));
  const path = isCovered ? given : await real();
  return path === undefined || mountOf(path, below) === undefined ? undefined : { path, table: below };
}

/** The option of the kernel by which the root is an overlay in RAM; undefined: the overlay is not the root. */
function volatileRoot(mount: Mount, { table, kernelCommandLine }: Known): string | undefined {
  if (mountOf('/', table)?.device !== mount.device) return undefined;
  const options = kernelCommandLine.split(/\s/);
  return options.find((option) =>
    VOLATILE_ROOTS.some((root) => root.option.test(option) && !options.some((other) => root.unless?.test(other))),
  );
}

/** Names the block device in RAM that holds a file system: zram, ramdisk, or a loop device with a file in RAM. */
async function blockDeviceInRam(
  { device, source }: Mount,
  sources: Known,
  layersLeft: number,
): Promise<string | undefined> {
  // btrfs has a device number of its own, without a block device.
  const isOwn = device.startsWith('0:');
  if (isOwn && !source.startsWith('/dev/')) return undefined;
  const link = isOwn ? `class/block/${basename(await existing(source))}` : `dev/block/${device}`;
  return deviceInRam(join(sources.sysfs, link), sources, layersLeft);
}

const textOf = async (path: string): Promise<string | undefined> => {
  const read = await readLimited(path, MAX_SYSFS_BYTES);
  return read.ok ? read.bytes.toString('utf8').replace(/\n$/, '') : undefined;
};

async function deviceInRam(link: string, sources: Known, layersLeft: number): Promise<string | undefined> {
  const folder = await realpath(link).catch(() => undefined);
  if (folder === undefined || layersLeft === 0) return undefined;
  const name = basename(folder);
  if (/^z?ram\d/.test(name)) return `/dev/${name}, which is kept in RAM`;
  // The folder of a partition is in the folder of its device.
  for (const disk of [folder, dirname(folder)]) {
    const file = await textOf(join(disk, 'loop/backing_file'));
    // In another mount name space the file has another path.
    if (file !== undefined && (await realpath(file).catch(() => undefined)) !== undefined) {
      const { kind, text } = await judge(await existing(file), sources, layersLeft - 1);
      if (kind === 'volatile') return `/dev/${name}, whose file ${file} is on ${text}`;
    }
    for (const slave of await readdir(join(disk, 'slaves')).catch(() => [])) {
      const part = join(disk, 'slaves', slave);
      // A read-only part holds nothing of what is written.
      if ((await textOf(join(part, 'ro'))) === '1') continue;
      const inRam = await deviceInRam(part, sources, layersLeft - 1);
      if (inRam !== undefined) return inRam;
    }
  }
  return undefined;
}
