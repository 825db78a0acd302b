/** Every byte that a run leaves or prints, or that others can see of it, is searched for every secret in every form. */

import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { assertNoSecrets } from '../../../support/secretSearch.ts';
import { completionProblems, endingProblems } from '../invariants.ts';
import {
  type AgentStart,
  openScene,
  runWatched,
  type Scene,
  type SceneOptions,
  startWatched,
  type WatchedAgent,
} from './scene.ts';

/** Exit status and code that a trial is meant to bring about: another end shows nothing of this one. */
export interface Expected {
  readonly status: number;
  readonly code: string | null;
}

export interface SecretTrial {
  readonly name: string;
  readonly scene?: SceneOptions;
  readonly start?: (scene: Scene, folder: string) => AgentStart;
  /** Something that is spoilt beforehand; what it returns puts an end to that. */
  readonly before?: (scene: Scene) => Promise<(() => Promise<void>) | undefined>;
  /** Something that is done while it runs; its result is searched too. */
  readonly meanwhile?: (scene: Scene, agent: WatchedAgent, folder: string) => Promise<string>;
  readonly expected: Expected;
}

export async function textOfAll(folder: string): Promise<string> {
  const names = await readdir(folder);
  return (await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')))).join('\n');
}

const tokensIn = (text: string): string[] =>
  [...text.matchAll(/"token": "([^"]+)"/g)].flatMap(([, token]) => token ?? []);

async function statusOutput(scene: Scene, agent: string): Promise<string> {
  const { deviceFolder } = scene.paths;
  const outputs = ['text', 'json'].map(async (format) => {
    const args = ['status', '--dir', deviceFolder, '--format', format];
    return (await runWatched(agent, scene.paths, { args })).output;
  });
  return (await Promise.all(outputs)).join('\n');
}

async function leaks(scene: Scene, text: string, drawn: string): Promise<string[]> {
  const issued = scene.server.registry.devices().flatMap(({ token }) => token ?? []);
  const secrets = [...new Set([...scene.secrets, ...issued, ...tokensIn(drawn)])];
  return assertNoSecrets(scene.paths.deviceFolder, text, secrets).then(
    () => [],
    (error: unknown) => [error instanceof Error ? error.message : 'a secret'],
  );
}

/** @param keepDrawn keepDrawn.ts, compiled */
export async function trySecrets(
  trial: SecretTrial,
  folder: string,
  agent: string,
  keepDrawn: string,
): Promise<string[]> {
  const { expected, before, meanwhile, start } = trial;
  const scene = await openScene(folder, trial.scene);
  let undo: (() => Promise<void>) | undefined;
  try {
    undo = await before?.(scene);
    const drawnFolder = join(folder, 'drawn');
    await mkdir(drawnFolder);
    const { nodeOptions = [], env = {}, ...more } = start?.(scene, folder) ?? {};
    const running = startWatched(agent, scene.paths, {
      ...more,
      nodeOptions: ['--import', keepDrawn, ...nodeOptions],
      env: { ...env, KEEP_DRAWN: drawnFolder },
    });
    const [extra, ending] = await Promise.all([meanwhile?.(scene, running, folder) ?? '', running.ended]);
    const drawn = await textOfAll(drawnFolder);
    const reached = expected.code === null || ending.output.includes(`"code":"${expected.code}"`);
    const text = [ending.output, running.seen(), extra, await statusOutput(scene, agent)].join('\n');
    return [
      ...endingProblems(ending),
      ...(ending.status === expected.status && reached
        ? []
        : [`ended with ${ending.status}: ${ending.output.slice(-300)}`]),
      ...(running.seen().includes('main.js') ? [] : ['the process was never looked at']),
      ...(ending.output.includes('candidate.drawn') && tokensIn(drawn).length === 0
        ? ['what was drawn is not known']
        : []),
      ...(expected.code === null && start === undefined ? await completionProblems(scene) : []),
      ...(await leaks(scene, text, drawn)),
    ];
  } finally {
    await undo?.();
    await scene.close();
  }
}
