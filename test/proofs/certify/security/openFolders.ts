/** Files and folders that others may write: the agent warns, tightens the mode, or refuses. */

import { chmod, chown, lchown, lstat, mkdir, readFile, rename, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { completionProblems, endingProblems } from '../invariants.ts';
import {
  type AgentStart,
  isRoot,
  NOBODY,
  openScene,
  runWatched,
  type Scene,
  type SecurityTrial,
  startWatched,
} from './scene.ts';

const modeOf = async (path: string): Promise<number> => (await lstat(path)).mode & 0o7777;

/** A run that was killed during the request: credentials.json exists. */
async function killedAtCommit(folder: string, agent: string): Promise<Scene> {
  let onCommit = (): void => {};
  const scene = await openScene(folder, { server: { onEvent: ({ type }) => type === 'commit' && onCommit() } });
  const running = startWatched(agent, scene.paths);
  onCommit = () => running.kill('SIGKILL');
  const { signal } = await running.ended;
  if (signal !== 'SIGKILL') throw new Error('the kill did not happen');
  onCommit = () => {};
  return scene;
}

/** Expects that the run warns with this text and succeeds. */
async function expectWarned(scene: Scene, agent: string, says: RegExp, start: AgentStart = {}): Promise<string[]> {
  const ending = await runWatched(agent, scene.paths, start);
  const warned = ending.output.split('\n').some((line) => line.includes('"level":"warn"') && says.test(line));
  return [
    ...endingProblems(ending),
    ...(warned ? [] : [`no warning matches ${says.source}`]),
    ...(await completionProblems(scene)),
  ];
}

/** Expects that the run fails with this code, does not contact the server, and does not change the file. */
async function expectRefused(
  scene: Scene,
  agent: string,
  path: string,
  code: string,
  start: AgentStart = {},
): Promise<string[]> {
  const asked = scene.server.registry.counts.connects;
  const [before, stats] = [await readFile(path), await lstat(path)];
  const ending = await runWatched(agent, scene.paths, start);
  const after = await lstat(path);
  return [
    ...endingProblems(ending),
    ...(ending.status === 77 && ending.output.includes(`"code":"${code}"`)
      ? []
      : [`ended with ${ending.status}, not as ${code}`]),
    ...(scene.server.registry.counts.connects === asked ? [] : ['the server was contacted']),
    ...(before.equals(await readFile(path)) ? [] : [`${path} was changed`]),
    ...(after.mode === stats.mode && after.uid === stats.uid ? [] : [`mode or owner of ${path} was changed`]),
  ];
}

const freshScene = (folder: string): Promise<Scene> => openScene(folder);

/** @param make makes the scene @param act runs the trial in the scene */
const trial = (
  name: string,
  make: (folder: string, agent: string) => Promise<Scene>,
  act: (scene: Scene, agent: string) => Promise<string[]>,
): SecurityTrial => ({
  name,
  async run(folder, agent) {
    const scene = await make(folder, agent);
    try {
      return await act(scene, agent);
    } finally {
      await scene.close();
    }
  },
});

const openTrials = [0o777, 0o1777, 0o757].map((mode) =>
  trial(`the agent warns of a device folder of mode ${mode.toString(8)}`, freshScene, async (scene, agent) => {
    await chmod(scene.paths.deviceFolder, mode);
    return expectWarned(scene, agent, /Every user of this device can write/);
  }),
);

const tightenedTrials = [0o644, 0o640, 0o666, 0o604].map((mode) =>
  trial(
    `credentials.json of mode ${mode.toString(8)} is tightened, with a warning`,
    killedAtCommit,
    async (scene, agent) => {
      const { credentials } = scene.paths;
      await chmod(credentials, mode);
      let seen = 0;
      const running = startWatched(agent, scene.paths);
      const look = setInterval(() => {
        modeOf(credentials).then(
          (found) => {
            seen = found;
          },
          () => {},
        );
      }, 2);
      const ending = await running.ended;
      clearInterval(look);
      const warned = ending.output.includes('"event":"credentials.tightened"');
      return [
        ...endingProblems(ending),
        ...(warned ? [] : ['no warning names the change']),
        ...(seen === 0o600 ? [] : [`its last seen mode was ${seen.toString(8)}`]),
        ...(await completionProblems(scene)),
      ];
    },
  ),
);

const stateFolderTrial = trial(
  'a state folder of mode 777 is tightened, with a warning',
  killedAtCommit,
  async (scene, agent) => {
    await chmod(scene.paths.stateFolder, 0o777);
    const problems = await expectWarned(scene, agent, /"event":"state\.tightened"/);
    const mode = await modeOf(scene.paths.stateFolder);
    return mode === 0o700 ? problems : [...problems, `its mode is ${mode.toString(8)}`];
  },
);

async function giveAway(scene: Scene, user: number): Promise<void> {
  const { deviceFolder, stateFolder, provisionJson, provisionTxt, thermalConfig, snapshot } = scene.paths;
  for (const path of [deviceFolder, stateFolder, provisionJson, provisionTxt, thermalConfig, snapshot]) {
    await chown(path, user, user);
  }
}

/** Only root can make files that other users own. */
const foreignTrials: readonly SecurityTrial[] = !isRoot
  ? []
  : [
      ...[0o600, 0o644].map((mode) =>
        trial(
          `credentials.json of another user, mode ${mode.toString(8)}, is refused by root`,
          killedAtCommit,
          async (scene, agent) => {
            await chown(scene.paths.credentials, NOBODY, NOBODY);
            await chmod(scene.paths.credentials, mode);
            return expectRefused(scene, agent, scene.paths.credentials, 'CREDENTIALS_FOREIGN_OWNER');
          },
        ),
      ),
      ...[0o600, 0o644].map((mode) =>
        trial(
          `credentials.json of root, mode ${mode.toString(8)}, is refused by an ordinary user`,
          killedAtCommit,
          async (scene, agent) => {
            await giveAway(scene, NOBODY);
            await chmod(scene.paths.credentials, mode);
            return expectRefused(scene, agent, scene.paths.credentials, 'CREDENTIALS_FOREIGN_OWNER', { user: NOBODY });
          },
        ),
      ),
      trial('a link of another user instead of thermal_config.json is refused', freshScene, async (scene, agent) => {
        const { thermalConfig, deviceFolder } = scene.paths;
        const target = join(deviceFolder, '..', 'foreign.json');
        await rename(thermalConfig, target);
        await symlink(target, thermalConfig);
        await lchown(thermalConfig, NOBODY, NOBODY);
        return expectRefused(scene, agent, target, 'CONFIG_LINK_UNTRUSTED');
      }),
      trial(
        'the agent does not follow a link of another user instead of the state folder',
        freshScene,
        async (scene, agent) => {
          const { stateFolder, deviceFolder } = scene.paths;
          const foreign = join(deviceFolder, '..', 'foreign');
          await mkdir(foreign, { mode: 0o755 });
          await symlink(foreign, stateFolder);
          await lchown(stateFolder, NOBODY, NOBODY);
          await runWatched(agent, scene.paths);
          const mode = await modeOf(foreign);
          return mode === 0o755 ? [] : [`the mode of a foreign folder became ${mode.toString(8)}`];
        },
      ),
    ];

export const openFolderTrials: readonly SecurityTrial[] = [
  ...openTrials,
  ...tightenedTrials,
  stateFolderTrial,
  ...foreignTrials,
];
