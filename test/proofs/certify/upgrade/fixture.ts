/**
 * Device folders of interrupted runs of a released version, one for each active state of its chart, from
 * makeFixtures.ts. They are never made again, because they prove that later versions resume these runs. `device/` is
 * the device folder (with suffix `.kept`, so that no tool treats the files as sources), `server.json.kept` the server's
 * registry. Placeholders replace the values that depend on the machine.
 */

import { createHash } from 'node:crypto';
import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { type DevicePaths, devicePaths } from '../../../../src/device/paths.ts';
import { DEVICE_KEY } from '../../../support/server.ts';

/** Path relative to the project's root. */
export const FIXTURES = 'test/proofs/certify/fixtures';
export const HOST = '127.0.0.1';
const SUFFIX = '.kept';
export const FOLDER = '{{FOLDER}}';
export const PORT = '{{PORT}}';
export const DIGEST = '{{DIGEST}}';
export const INODE = '{{INODE}}';
export const MTIME_NS = '{{MTIME_NS}}';

/**
 * The settings digest of version 1. It is a copy on purpose: an agent with another digest would treat every unfinished
 * run as one with changed settings.
 */
const digestOfVersion1 = (port: number): string =>
  createHash('sha256')
    .update(JSON.stringify([HOST, port, DEVICE_KEY, ['random', 'thermal-camera']]))
    .digest('hex')
    .slice(0, 16);

export interface Fixture {
  /** Version of the snapshot format. */
  readonly version: number;
  /** The state in which the run was interrupted. */
  readonly state: string;
  readonly folder: string;
}

/** All fixtures, the oldest version first. */
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

/** Copies a folder into the fixtures. @param replaced values and their placeholders */
export async function keepFolder(from: string, to: string, replaced: ReadonlyMap<string, string>): Promise<void> {
  for (const name of await filesBelow(from)) {
    const path = join(to, `${name}${SUFFIX}`);
    let text = await readFile(join(from, name), 'utf8');
    for (const [value, placeholder] of replaced) text = text.replaceAll(value, placeholder);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  }
}

/** Writes a fixture's file with the mode of the agent's files. */
async function layOutFile(from: string, to: string, values: ReadonlyMap<string, string>): Promise<void> {
  let text = await readFile(from, 'utf8');
  for (const [placeholder, value] of values) text = text.replaceAll(placeholder, value);
  await mkdir(dirname(to), { recursive: true });
  await writeFile(to, text);
  await chmod(to, 0o600);
}

/** Writes the simulator's registry file; no file when the agent had not contacted the server. */
export async function layOutServer({ folder }: Fixture, path: string): Promise<void> {
  const kept = await readdir(folder);
  const name = `server.json${SUFFIX}`;
  if (kept.includes(name)) await layOutFile(join(folder, name), path, new Map());
}

/** Makes the device folder of a fixture, as if the run had been interrupted here. @param port port of the server */
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
