/** Checks modes and owners of all files after a run, with several umasks and users. */

import { chmod, chown, lstat, readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { DevicePaths } from '../../../../src/device/paths.ts';
import { OLD_CONFIG } from '../../../support/deviceFiles.ts';
import { completionProblems, endingProblems } from '../invariants.ts';
import { isRoot, NOBODY, openScene, type Scene, type SecurityTrial, startWatched } from './scene.ts';

interface Attributes {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** Mode of the operator's thermal_config.json: not 600, so that a change is visible. */
const CONFIG_MODE = 0o640;

async function attributesBelow(folder: string): Promise<ReadonlyMap<string, Attributes>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const found = new Map<string, Attributes>();
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name);
    const { mode, uid, gid } = await lstat(path);
    found.set(relative(folder, path), { mode: mode & 0o7777, uid, gid });
  }
  return found;
}

/** Existing files must keep their attributes, also after a rename. Only the folder's owner may use new files. */
async function attributeProblems(
  { deviceFolder }: DevicePaths,
  before: ReadonlyMap<string, Attributes>,
): Promise<string[]> {
  const { uid, gid } = await lstat(deviceFolder);
  const problems: string[] = [];
  for (const [name, found] of await attributesBelow(deviceFolder)) {
    const isFolder = name === 'provision-state';
    const asNew = { mode: isFolder ? 0o700 : 0o600, uid, gid };
    const expected = before.get(name === 'provision.txt.processed' ? 'provision.txt' : name) ?? asNew;
    const [is, must] = [found, expected].map((one) => `mode ${one.mode.toString(8)}, owner ${one.uid}:${one.gid}`);
    if (is !== must) problems.push(`${name} has ${is}; it must have ${must}`);
  }
  return problems;
}

interface Constellation {
  readonly umask: number;
  /** Owner of the device folder, and user of the agent; undefined: this process's user. */
  readonly owner: number | undefined;
  readonly user: number | undefined;
  readonly config: string | null;
  readonly kind?: 'X.509';
  /** Whether the agent is killed when the server has registered the device, instead of running to its end. */
  readonly killed: boolean;
}

async function giveTo(scene: Scene, owner: number): Promise<void> {
  const { deviceFolder } = scene.paths;
  await chown(deviceFolder, owner, owner);
  for (const name of await readdir(deviceFolder)) await chown(join(deviceFolder, name), owner, owner);
}

async function tryConstellation(folder: string, agent: string, constellation: Constellation): Promise<string[]> {
  const { umask, owner, user, config, kind, killed } = constellation;
  let onCommit = (): void => {};
  const scene = await openScene(folder, {
    ...(kind === undefined ? { config } : { kind }),
    server: { onEvent: ({ type }) => type === 'commit' && onCommit() },
  });
  try {
    if (config !== null) await chmod(scene.paths.thermalConfig, CONFIG_MODE);
    if (owner !== undefined) await giveTo(scene, owner);
    const before = await attributesBelow(scene.paths.deviceFolder);
    const running = startWatched(agent, scene.paths, { umask, user });
    if (killed) onCommit = () => running.kill('SIGKILL');
    const ending = await running.ended;
    const problems = await attributeProblems(scene.paths, before);
    if (!killed) return [...problems, ...endingProblems(ending), ...(await completionProblems(scene))];
    if (ending.signal !== 'SIGKILL') problems.push('the kill did not happen');
    const left = await attributesBelow(scene.paths.deviceFolder);
    return left.has('provision-state/credentials.json') ? problems : [...problems, 'credentials.json does not exist'];
  } finally {
    await scene.close();
  }
}

const userText = (user: number | undefined): string => (user === undefined ? 'this user' : `user ${user}`);

function* constellations(): Generator<Constellation> {
  // Each user runs the agent in its own folder; root also runs it in the folder of an ordinary user.
  const users = isRoot ? [undefined, NOBODY] : [undefined];
  for (const user of users) {
    for (const owner of new Set(isRoot ? [user, NOBODY] : [undefined])) {
      for (const umask of [0o000, 0o077]) {
        for (const config of [OLD_CONFIG, null]) {
          for (const killed of [false, true]) yield { umask, owner, user, config, killed };
        }
        yield { umask, owner, user, config: OLD_CONFIG, kind: 'X.509', killed: false };
      }
    }
  }
}

export const fileModeTrials: readonly SecurityTrial[] = [...constellations()].map((constellation) => {
  const { umask, owner, user, config, kind, killed } = constellation;
  return {
    name: `umask ${umask.toString(8).padStart(3, '0')}, ${userText(user)} in a folder of ${userText(owner)}, ${kind ?? (config === null ? 'fresh' : 'configured')}${killed ? ', killed' : ''}`,
    run: (folder, agent) => tryConstellation(folder, agent, constellation),
  };
});
