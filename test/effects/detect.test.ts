import { mkdir, rm } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { detect } from '../../src/effects/detect.ts';
import { writeCredentials } from '../../src/state/credentials.ts';
import { accessToken } from '../support/accessToken.ts';
import { deviceFolderFor } from '../support/agentRun.ts';
import { effectCall, effectScene } from '../support/effectCall.ts';

/** The warnings after provision.txt was removed from an unfinished run with two names. */
async function warningsAfterRemoval(answered: boolean): Promise<readonly string[] | undefined> {
  const paths = await deviceFolderFor(1);
  await rm(paths.provisionTxt);
  await mkdir(paths.stateFolder, { mode: 0o700 });
  const { dependencies } = await effectScene(paths);
  const candidates = [1, 2].map((nameIndex) => ({
    nameIndex,
    name: `camera-${nameIndex}`,
    credentials: accessToken(`token-${nameIndex}`),
    runId: 'run-0',
    answered,
  }));
  const target = { digest: 'digest', host: 'tb.example', port: 1883 };
  await writeCredentials(paths.credentials, { target, board: dependencies.board, candidates, granted: null });
  return (await detect(dependencies, effectCall({}))).warnings;
}

test('provision.txt was removed from a run whose devices may exist: the warning names all of them', async () => {
  const expected = expect.stringContaining('A device camera-1, camera-2 may exist on tb.example:1883');
  expect(await warningsAfterRemoval(false)).toEqual([expected]);
});

test('provision.txt was removed from a run that registered nothing: nobody is told to delete a device', async () => {
  const warning = 'provision.txt was removed before the run ended; nothing more is sent';
  expect(await warningsAfterRemoval(true)).toEqual([warning]);
});
