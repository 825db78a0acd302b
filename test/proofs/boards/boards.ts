import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { z } from 'zod';
import { installInto, prepare } from '../boot/installedImage.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Root folder of the image of each board. */
    images: Readonly<Record<string, string>>;
    /** Paths of the packages: `all`, per architecture the one with a Node of its own, and its `archive`. */
    packages: Readonly<Record<string, string>>;
    /** A folder on the disk, for the emulated boards of this test run. */
    disk: string;
  }
}

const texts = z.record(z.string(), z.string());
const variable = (name: string): string => {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set: start the tests with npm run test:boards`);
  return value;
};

/** Vitest's global set-up: installs the package on Debian 12. */
export default async function prepareBoards(project: TestProject): Promise<void> {
  const images = texts.parse(JSON.parse(variable('BOARD_IMAGES')));
  const packages = texts.parse(JSON.parse(variable('BOARD_PACKAGES')));
  const folder = variable('BOARD_FOLDER');
  const disk = join(folder, 'disk');
  await mkdir(disk);
  project.provide('images', images);
  project.provide('packages', packages);
  project.provide('disk', disk);
  const boards = await prepare(folder);
  const image = images['debian-12'];
  if (image !== undefined) await installInto(project, image, packages.amd64 ?? '', boards);
}
