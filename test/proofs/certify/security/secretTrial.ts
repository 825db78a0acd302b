/** Searches the files, the output and the visible process data of a run for every secret in every form. */

import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { assertNoSecrets } from '../../../support/secretSearch.ts';
import { secretsInCredentials, secretsOnServer } from '../../../support/storedLogin.ts';
import { completionProblems, endingProblems, secretsInFiles } from '../invariants.ts';
import {
  type AgentStart,
  openScene,
  runWatched,
  type Scene,
  type SceneOptions,
  startWatched,
  type WatchedAgent,
} from './scene.ts';

/** Exit status and code that a trial must cause; another end is a problem of the trial. */
export interface Expected {
  readonly status: number;
  readonly code: string | null;
}

export interface SecretTrial {
  readonly name: string;
  readonly scene?: SceneOptions;
  readonly start?: (scene: Scene, folder: string) => AgentStart;
  /** A change before the run. @returns a function that reverts it */
  readonly before?: (scene: Scene) => Promise<(() => Promise<void>) | undefined>;
  /** An action during the run; its result is searched too. */
  readonly meanwhile?: (scene: Scene, agent: WatchedAgent, folder: string) => Promise<string>;
  readonly expected: Expected;
}

export async function textOfAll(folder: string): Promise<string> {
  const names = await readdir(folder);
  return (await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')))).join('\n');
}

async function statusOutput(scene: Scene, agent: string): Promise<string> {
  const { deviceFolder } = scene.paths;
  const outputs = ['text', 'json'].map(async (format) => {
    const args = ['status', '--dir', deviceFolder, '--format', format];
    return (await runWatched(agent, scene.paths, { args })).output;
  });
  return (await Promise.all(outputs)).join('\n');
}

async function leaks(scene: Scene, text: string, credentials: string): Promise<string[]> {
  const issued = secretsOnServer(scene.server.registry.devices());
  const generated = [...secretsInCredentials(credentials), ...(await secretsInFiles(scene.paths))];
  const secrets = [...new Set([...scene.secrets, ...issued, ...generated])];
  return assertNoSecrets(scene.paths.deviceFolder, text, secrets).then(
    () => [],
    (error: unknown) => [error instanceof Error ? error.message : 'a secret'],
  );
}

/** @param keepCredentials keepCredentials.ts, compiled */
export async function trySecrets(
  trial: SecretTrial,
  folder: string,
  agent: string,
  keepCredentials: string,
): Promise<string[]> {
  const { expected, before, meanwhile, start } = trial;
  const scene = await openScene(folder, trial.scene);
  let undo: (() => Promise<void>) | undefined;
  try {
    undo = await before?.(scene);
    const credentialsFolder = join(folder, 'credentials');
    await mkdir(credentialsFolder);
    const { nodeOptions = [], env = {}, ...more } = start?.(scene, folder) ?? {};
    const running = startWatched(agent, scene.paths, {
      ...more,
      nodeOptions: ['--import', keepCredentials, ...nodeOptions],
      env: { ...env, KEEP_CREDENTIALS: credentialsFolder },
    });
    const [extra, ending] = await Promise.all([meanwhile?.(scene, running, folder) ?? '', running.ended]);
    const credentials = await textOfAll(credentialsFolder);
    const reached = expected.code === null || ending.output.includes(`"code":"${expected.code}"`);
    const text = [ending.output, running.seen(), extra, await statusOutput(scene, agent)].join('\n');
    return [
      ...endingProblems(ending),
      ...(ending.status === expected.status && reached
        ? []
        : [`ended with ${ending.status}: ${ending.output.slice(-300)}`]),
      ...(running.seen().includes('main.js') ? [] : ['the process was never inspected']),
      ...(ending.output.includes('candidate.drawn') && secretsInCredentials(credentials).length === 0
        ? ['the generated credentials are unknown']
        : []),
      ...(expected.code === null && start === undefined ? await completionProblems(scene) : []),
      ...(await leaks(scene, text, credentials)),
    ];
  } finally {
    await undo?.();
    await scene.close();
  }
}
