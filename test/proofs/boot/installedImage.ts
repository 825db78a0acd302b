import { execFile } from 'node:child_process';
import { copyFile, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { TestProject } from 'vitest/node';
import { mountLayers, unmount } from './layers.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Layers of a Debian 13 with the package installed, topmost first, for `mountLayers`. */
    layers: readonly string[];
    /** Path of the package. */
    deb: string;
    /** A tmpfs folder for the boards of this test run. */
    boards: string;
  }
}

const INSTALL_LIMIT_MS = 60_000;

function variable(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set: start the tests with npm run test:boot`);
  return value;
}

/** Vitest's global set-up: installs the package with dpkg into a layer over the image. */
export default async function installPackage(project: TestProject): Promise<void> {
  const call = promisify(execFile);
  const image = variable('BOOT_IMAGE');
  const boards = join(variable('BOOT_FOLDER'), 'boards');
  await mkdir(boards);
  await call('mount', ['-t', 'tmpfs', '-o', 'mode=0755,size=1g', 'tmpfs', boards]);
  // For roots in RAM: the agent's unit hides /tmp, but not /media.
  await call('mount', ['-t', 'tmpfs', '-o', 'mode=0755,size=256m', 'tmpfs', '/media']);
  await call('ip', ['link', 'set', 'lo', 'up']);

  const { root, upper } = await mountLayers(join(boards, 'installed'), [image]);
  const inside = '/tmp/thermal-provision.deb';
  const deb = variable('BOOT_DEB');
  await copyFile(deb, join(root, inside));
  const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', DEBIAN_FRONTEND: 'noninteractive' };
  await call('chroot', [root, 'dpkg', '--install', inside], { env, timeout: INSTALL_LIMIT_MS });
  await rm(join(root, inside));
  await unmount(root);
  project.provide('layers', [upper, image]);
  project.provide('deb', deb);
  project.provide('boards', boards);
}
