import { execFile } from 'node:child_process';
import { copyFile, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { TestProject } from 'vitest/node';
import { mountLayers, unmount } from './layers.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Layers of a Debian with the package installed, topmost first, for `mountLayers`. */
    layers: readonly string[];
    /** Path of the package. */
    deb: string;
    /** Path of the package with a Node of its own. */
    standalone: string;
    /** A tmpfs folder for the boards of this test run. */
    boards: string;
  }
}

const INSTALL_LIMIT_MS = 60_000;
const call = promisify(execFile);

function variable(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set: start the tests with npm run test:boot`);
  return value;
}

/** The network and the memory for boards, in the namespaces of the tests. @returns the folder of the boards */
export async function prepare(folder: string): Promise<string> {
  const boards = join(folder, 'boards');
  await mkdir(boards);
  await call('mount', ['-t', 'tmpfs', '-o', 'mode=0755,size=1g', 'tmpfs', boards]);
  // For roots in RAM: the agent's unit hides /tmp, but not /media.
  await call('mount', ['-t', 'tmpfs', '-o', 'mode=0755,size=256m', 'tmpfs', '/media']);
  await call('ip', ['link', 'set', 'lo', 'up']);
  return boards;
}

/** Installs a package with dpkg into a layer over an image, for `makeBoard`. */
export async function installInto(project: TestProject, image: string, deb: string, boards: string): Promise<void> {
  const { root, upper } = await mountLayers(join(boards, 'installed'), [image]);
  const inside = '/tmp/thermal-provision.deb';
  await copyFile(deb, join(root, inside));
  const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', DEBIAN_FRONTEND: 'noninteractive' };
  await call('chroot', [root, 'dpkg', '--install', inside], { env, timeout: INSTALL_LIMIT_MS });
  await rm(join(root, inside));
  await unmount(root);
  project.provide('layers', [upper, image]);
  project.provide('deb', deb);
  project.provide('boards', boards);
}

/** Vitest's global set-up. */
export default async function installPackage(project: TestProject): Promise<void> {
  const boards = await prepare(variable('BOOT_FOLDER'));
  await installInto(project, variable('BOOT_IMAGE'), variable('BOOT_DEB'), boards);
  project.provide('standalone', variable('BOOT_STANDALONE'));
}
