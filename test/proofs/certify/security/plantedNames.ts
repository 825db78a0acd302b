/** Plants links and special files at every name that the agent writes. None must lead the agent out of its folders. */

import { execFile } from 'node:child_process';
import { link, lstat, lutimes, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { OLD_CONFIG } from '../../../support/deviceFiles.ts';
import { completionProblems, endingProblems } from '../invariants.ts';
import { keptFixtures, layOutDevice, layOutServer } from '../upgrade/fixture.ts';
import { openScene, runWatched, type Scene, type SecurityTrial } from './scene.ts';

/** The kinds of planted files. An attacker who can't write to the victim can make all of them. */
const KINDS = ['link to a file', 'link to nowhere', 'link to a folder', 'hard link', 'FIFO'] as const;
type Kind = (typeof KINDS)[number];

const DEVICE_NAMES = ['.provision-probe', '.provision-probe.tmp', 'thermal_config.json.tmp', 'provision.txt.processed'];
const STATE_NAMES = [
  ...['.provision-probe', '.provision-probe.tmp', 'snapshot.json', 'snapshot.json.tmp', 'credentials.json'],
  ...['credentials.json.tmp', 'events.jsonl', 'events.jsonl.1', 'lock', 'lock.socket'],
].map((name) => `provision-state/${name}`);

/** A full file: for the next line the agent renames it to the planted name. */
const FULL_EVENTS = `${'x'.repeat(1023)}\n`.repeat(256);
const VICTIM_TIME = new Date(Date.UTC(2020, 0, 1));

/** Another user's folder beside the device folder, with a file that must not change. */
interface Outside {
  readonly folder: string;
  readonly victim: string;
  problems(): Promise<string[]>;
}

async function makeOutside(folder: string): Promise<Outside> {
  const outside = join(folder, 'outside');
  const victim = join(outside, 'victim');
  await mkdir(outside);
  await writeFile(victim, OLD_CONFIG, { mode: 0o644 });
  await lutimes(victim, VICTIM_TIME, VICTIM_TIME);
  const describe = async (): Promise<string> => {
    const { mode, uid, gid, size, mtimeMs } = await lstat(victim);
    const { mode: folderMode } = await lstat(outside);
    const names = (await readdir(outside)).join();
    return `${mode.toString(8)} ${uid}:${gid} ${size} bytes of ${mtimeMs} in ${folderMode.toString(8)} with ${names}`;
  };
  const before = await describe();
  return {
    folder: outside,
    victim,
    async problems() {
      const after = await describe().catch(() => 'gone');
      const same = (await readFile(victim, 'utf8').catch(() => '')) === OLD_CONFIG;
      return [
        ...(after === before ? [] : [`a foreign file was changed: ${before} became ${after}`]),
        ...(same ? [] : ['the content of a foreign file was changed']),
      ];
    },
  };
}

async function plant(path: string, kind: Kind, outside: Outside): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await rm(path, { force: true });
  switch (kind) {
    case 'link to a file':
      return symlink(outside.victim, path);
    case 'link to nowhere':
      return symlink(join(outside.folder, 'new'), path);
    case 'link to a folder':
      return symlink(outside.folder, path);
    case 'hard link':
      return link(outside.victim, path);
    case 'FIFO':
      await promisify(execFile)('mkfifo', [path]);
  }
}

/** Removes the planted file, unless the agent has replaced it with its own file. */
async function removePlant(path: string, { victim }: Outside): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  const isPlant = found?.isFile() !== true || found.ino === (await lstat(victim)).ino;
  if (isPlant) await rm(path, { force: true });
}

/** Starts the agent with the planted file, then without it: the device must be provisioned in the end. */
async function startTwice(scene: Scene, agent: string, path: string, outside: Outside): Promise<string[]> {
  const first = await runWatched(agent, scene.paths);
  const problems = [...endingProblems(first), ...(await outside.problems())];
  if (first.status !== 0) {
    await removePlant(path, outside);
    const second = await runWatched(agent, scene.paths);
    if (second.status !== 0)
      problems.push(`without the planted file it ended with ${second.status}, before with ${first.status}`);
  }
  // The agent may leave a planted file that it does not need.
  await removePlant(path, outside);
  const left = (await completionProblems(scene)).filter((problem) => !problem.endsWith(`${basename(path)} was left`));
  const unprocessed = path.endsWith('.processed') ? 'there is no provision.txt.processed' : '';
  const found = [...problems, ...left.filter((problem) => problem !== unprocessed), ...(await outside.problems())];
  return [...new Set(found)];
}

async function tryName(folder: string, agent: string, name: string, kind: Kind): Promise<string[]> {
  const scene = await openScene(folder);
  try {
    const outside = await makeOutside(folder);
    const path = join(scene.paths.deviceFolder, name);
    await plant(path, kind, outside);
    if (name.endsWith('events.jsonl.1')) await writeFile(scene.paths.events, FULL_EVENTS);
    return await startTwice(scene, agent, path, outside);
  } finally {
    await scene.close();
  }
}

/** The name of a backup is its time. A run that was interrupted in `backup` has already fixed this name. */
async function tryBackup(folder: string, agent: string, suffix: string, kind: Kind): Promise<string[]> {
  const fixture = (await keptFixtures()).findLast(({ state }) => state === 'backup');
  if (fixture === undefined) throw new Error('no fixture of a run that was interrupted in backup');
  const registryFile = join(folder, 'server.json');
  await layOutServer(fixture, registryFile);
  const scene = await openScene(folder, { server: { registryFile } });
  try {
    const outside = await makeOutside(folder);
    await rm(scene.paths.deviceFolder, { recursive: true });
    await layOutDevice(fixture, scene.paths.deviceFolder, scene.server.port);
    const name: unknown = JSON.parse(await readFile(scene.paths.snapshot, 'utf8')).context.backupName;
    const path = join(scene.paths.deviceFolder, `${name}${suffix}`);
    await plant(path, kind, outside);
    return await startTwice(scene, agent, path, outside);
  } finally {
    await scene.close();
  }
}

const NAMES = [...DEVICE_NAMES, ...STATE_NAMES];

export const plantedNameTrials: readonly SecurityTrial[] = KINDS.flatMap((kind) => [
  ...NAMES.map((name) => ({
    name: `${kind} at ${name}`,
    run: (folder: string, agent: string) => tryName(folder, agent, name, kind),
  })),
  ...['', '.tmp'].map((suffix) => ({
    name: `${kind} at the backup${suffix}`,
    run: (folder: string, agent: string) => tryBackup(folder, agent, suffix, kind),
  })),
]);
