import { randomBytes } from 'node:crypto';
import { copyFile, mkdir, open, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inject } from 'vitest';
import { type DevicePaths, devicePaths } from '../../../src/device/paths.ts';
import type { AtEnd } from '../../support/atEnd.ts';
import { type Container, startContainer } from './container.ts';
import { mountLayers, mountRamLayer, type RamLayer, unmount } from './layers.ts';

export const AGENT = 'thermal-provision.service';
export const WATCHER = 'thermal-provision.path';
export const CLIENT = 'thermal-client.service';

/** The camera's folder of the package. */
const DEVICE_FOLDER = '/var/lib/thermal-camera';

/** Properties of a unit, from `systemctl show`. */
export type UnitProperties = Readonly<Record<string, string>>;

/** A camera: a Debian 13 with the package installed. */
export interface Board {
  /** Paths of the camera's files for the tests. */
  readonly paths: DevicePaths;
  boot(): Promise<void>;
  /** Kills every process at once; the disk keeps the written data. */
  cutPower(): Promise<void>;
  /** Puts a file into the camera's folder, like `install -o thermal -m 600`. */
  put(path: string, text: string): Promise<void>;
  /** Installs a system file, before the boot. */
  install(path: string, text: string): Promise<void>;
  /** Copies a file of this machine onto the board. */
  copy(from: string, path: string): Promise<void>;
  /** Adds a drop-in for a unit, like `systemctl edit`, before the boot. */
  edit(unit: string, text: string, name?: string): Promise<void>;
  /** Whether a unit starts at boot. */
  enable(unit: string): Promise<void>;
  /** Runs a command on the running board. @returns its output */
  run(...command: readonly string[]): Promise<string>;
  unit(name: string): Promise<UnitProperties>;
  /** The messages of a unit since the boot. */
  journal(unit: string): Promise<string>;
}

/** How a board differs from one whose disk is one writable file system. */
export interface BoardKind {
  /** `overlayroot`: each boot begins with an empty layer in RAM over the root, as the package overlayroot makes it. */
  readonly root?: 'read-only' | 'overlayroot';
  /** More options of systemd-nspawn. */
  readonly options?: readonly string[];
  /** Where the camera's files are; default: in the root file system. */
  readonly cameraFolder?: string;
  /** Content of /etc/machine-id in the image; default: another one for each board. */
  readonly machineId?: string;
}

/** Makes a board that is not running yet. It is removed after the test. */
export async function makeBoard(atEnd: AtEnd, kind: BoardKind = {}): Promise<Board> {
  const name = `board-${randomBytes(4).toString('hex')}`;
  const folder = join(inject('boards'), name);
  const { root } = await mountLayers(folder, inject('layers'));
  const { options = [] } = kind;
  let container: Container | undefined;
  let layer: RamLayer | undefined;
  const cutPower = async (): Promise<void> => {
    await container?.cutPower();
    container = undefined;
    await layer?.unmount();
    layer = undefined;
  };
  atEnd(async ({ task }) => {
    if (task.result?.state === 'fail') console.error(await lastWords(container));
    await cutPower();
    await unmount(root);
    await rm(folder, { recursive: true, force: true });
  });
  await writeFile(join(root, 'etc/machine-id'), kind.machineId ?? `${randomBytes(16).toString('hex')}\n`);
  const owner = await ownerIn(root);
  const run = (...command: readonly string[]): Promise<string> => {
    if (container === undefined) throw new Error(`${name} is switched off`);
    return container.run(command);
  };
  return {
    paths: devicePaths(kind.cameraFolder ?? join(root, DEVICE_FOLDER)),
    boot: async () => {
      if (kind.root === 'overlayroot') layer = await mountRamLayer(name, root);
      const shown = layer === undefined ? [] : [`--bind=${layer.layers}`];
      const readOnly = kind.root === 'read-only' ? ['--read-only'] : [];
      container = await startContainer(name, layer?.root ?? root, [...readOnly, ...shown, ...options]);
    },
    cutPower,
    put: (path, text) => putOwned(path, text, owner),
    install: (path, text) => writeFile(join(root, path), text),
    copy: (from, path) => copyFile(from, join(root, path)),
    edit: async (unit, text, name = 'test.conf') => {
      const dropIns = join(root, 'etc/systemd/system', `${unit}.d`);
      await mkdir(dropIns, { recursive: true });
      await writeFile(join(dropIns, name), text);
    },
    enable: async (unit) => {
      const wanted = join(root, 'etc/systemd/system/multi-user.target.wants');
      await mkdir(wanted, { recursive: true });
      await rm(join(wanted, unit), { force: true });
      await symlink(`/usr/lib/systemd/system/${unit}`, join(wanted, unit));
    },
    run,
    unit: async (unit) => propertiesIn(await run('systemctl', 'show', unit)),
    journal: (unit) => run('journalctl', '--no-pager', '--output=cat', '--unit', unit),
  };
}

/** Facts about the board that explain a failed test. */
async function lastWords(container: Container | undefined): Promise<string> {
  if (container === undefined) return 'The board is switched off.';
  const look = 'systemctl --no-pager list-jobs; journalctl --no-pager --output=short-monotonic --lines=60';
  return container.run(['sh', '-c', look]).catch((error: unknown) => String(error));
}

interface Owner {
  readonly uid: number;
  readonly gid: number;
}

async function ownerIn(root: string): Promise<Owner> {
  const [, uid, gid] = /^thermal:[^:]*:(\d+):(\d+):/m.exec(await readFile(join(root, 'etc/passwd'), 'utf8')) ?? [];
  if (uid === undefined || gid === undefined) throw new Error('the package did not create the user thermal');
  return { uid: Number(uid), gid: Number(gid) };
}

async function putOwned(path: string, text: string, { uid, gid }: Owner): Promise<void> {
  const handle = await open(path, 'w', 0o600);
  try {
    await handle.chown(uid, gid);
    await handle.chmod(0o600);
    await handle.writeFile(text);
  } finally {
    await handle.close();
  }
}

const propertiesIn = (text: string): UnitProperties =>
  Object.fromEntries(
    text.split('\n').flatMap((line) => {
      const [, name, value] = /^(\w+)=(.*)$/.exec(line) ?? [];
      return name === undefined || value === undefined ? [] : [[name, value]];
    }),
  );
