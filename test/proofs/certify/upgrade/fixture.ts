/**
 * Device folders that a released version has left when it was interrupted, one for each active state of its chart, as
 * makeFixtures.ts made them. They are never made again: what they show is that later versions go on with them.
 * `device/` is the device folder (`.kept` behind each name, so that no tool takes them for sources), `server.json.kept`
 * what the server knew then. What differs from machine to machine stands there as a placeholder.
 */

import { createHash } from 'node:crypto';
import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { type DevicePaths, devicePaths } from '../../../../src/device/paths.ts';
import { DEVICE_KEY } from '../../../support/server.ts';

/** Relative to the project's root. */
export const FIXTURES = 'test/proofs/certify/fixtures';
export const HOST = '127.0.0.1';
const SUFFIX = '.kept';
export const FOLDER = '{{FOLDER}}';
export const PORT = '{{PORT}}';
export const DIGEST = '{{DIGEST}}';
export const INODE = '{{INODE}}';
export const MTIME_NS = '{{MTIME_NS}}';

/**
 * The settings' digest as version 1 made it. A copy on purpose: an agent that makes it otherwise takes every run under
 * way for one with changed settings.
 */
const digestOfVersion1 = (port: number): string =>
  createHash('sha256')
    .update(JSON.stringify([HOST, port, DEVICE_KEY, ['random', 'thermal-camera']]))
    .digest('hex')
    .slice(0, 16);

export interface Fixture {
  /** Version of its snapshot. */
  readonly version: number;
  /** The state in which the run was interrupted. */
  readonly state: string;
  readonly folder: string;
}

/** All that are kept, the oldest version first. */
export async function keptFixtures(): Promise<readonly Fixture[]> {
  const versions = (await readdir(FIXTURES)).filter((name) => /^v\d+$/.test(name)).sort();
  const lists = versions.map(async (name) => {
    const states = await readdir(join(FIXTURES, name));
    const version = Number(name.slice(1));
    return states.sort().map((state) => ({ version, state, folder: join(FIXTURES, name, state) }));
  });
  return (await Promise.all(lists)).flat();
}

async function filesBelow(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => relative(folder, join(entry.parentPath, entry.name)));
}

/** Keeps a folder that was just left. @param replaced what is replaced by which placeholder */
export async function keepFolder(from: string, to: string, replaced: ReadonlyMap<string, string>): Promise<void> {
  for (const name of await filesBelow(from)) {
    const path = join(to, `${name}${SUFFIX}`);
    let text = await readFile(join(from, name), 'utf8');
    for (const [value, placeholder] of replaced) text = text.replaceAll(value, placeholder);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  }
}

/** Lays a kept file out, for the owner alone as the agent had it. */
async function layOutFile(from: string, to: string, values: ReadonlyMap<string, string>): Promise<void> {
  let text = await readFile(from, 'utf8');
  for (const [placeholder, value] of values) text = text.replaceAll(placeholder, value);
  await mkdir(dirname(to), { recursive: true });
  await writeFile(to, text);
  await chmod(to, 0o600);
}

/** What the server knew, as a simulator's registry file; nothing where the agent had not asked it anything. */
export async function layOutServer({ folder }: Fixture, path: string): Promise<void> {
  const kept = await readdir(folder);
  const name = `server.json${SUFFIX}`;
  if (kept.includes(name)) await layOutFile(join(folder, name), path, new Map());
}

/** The device folder of a fixture, as it would be if it had been left here. @param port of the server */
export async function layOutDevice(fixture: Fixture, to: string, port: number): Promise<DevicePaths> {
  const paths = devicePaths(to);
  const from = join(fixture.folder, 'device');
  const values = new Map([
    [FOLDER, to],
    [PORT, String(port)],
    [DIGEST, digestOfVersion1(port)],
  ]);
  await mkdir(paths.stateFolder, { recursive: true, mode: 0o700 });
  await writeFile(paths.provisionTxt, '');
  const { ino, mtimeNs } = await stat(paths.provisionTxt, { bigint: true });
  values.set(INODE, String(ino)).set(MTIME_NS, String(mtimeNs));
  for (const name of await filesBelow(from)) {
    const own = name.slice(0, -SUFFIX.length);
    if (own !== 'provision.txt') await layOutFile(join(from, name), join(to, own), values);
  }
  return paths;
}
