import { mkdir, readdir } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { readProvisionJson } from '../../src/config/provision/provisionJson.ts';
import { settingsDigest } from '../../src/config/provision/settingsDigest.ts';
import { readBoardIdentity } from '../../src/device/board.ts';
import { prepare } from '../../src/effects/prepare.ts';
import { silentLog } from '../../src/log/log.ts';
import { type IssuedCredentials, readCredentials, writeCredentials } from '../../src/state/credentials.ts';
import { accessToken } from '../support/accessToken.ts';
import { deviceFolderFor } from '../support/agentRun.ts';
import { effectCall, effectScene } from '../support/effectCall.ts';

const RUN = 'run-1';
const ISSUED: IssuedCredentials = { deviceName: 'camera-old-1', credentials: accessToken('t'), successSeenBy: RUN };

/** provision.json was changed before this run sent anything; credentials.json is still for the old settings. */
async function startedOver(
  generatedBy: readonly string[],
  granted: IssuedCredentials | null = null,
  boardId = 'board-1',
) {
  const paths = await deviceFolderFor(1883);
  await mkdir(paths.stateFolder, { mode: 0o700 });
  await writeCredentials(paths.credentials, {
    target: { digest: 'old settings', host: 'old.example', port: 1883 },
    board: await readBoardIdentity(boardId),
    candidates: generatedBy.map((runId, index) => ({
      nameIndex: index + 1,
      name: `camera-old-${index + 1}`,
      credentials: accessToken('t'),
      runId,
      answered: false,
    })),
    granted,
  });
  const { dependencies } = await effectScene(paths);
  const digest = settingsDigest((await readProvisionJson(paths.provisionJson)).settings);
  const input = { runId: RUN, settingsDigest: digest, nameIndex: 1, startedOver: true };
  const output = await prepare(dependencies, effectCall(input));
  const stored = await readCredentials(paths.credentials, silentLog, 0);
  return { output, stored, files: await readdir(paths.stateFolder) };
}

describe('when settings changed before anything was sent', () => {
  it('drops the name that this run generated, without a warning: no device can exist', async () => {
    const { output, stored, files } = await startedOver([RUN]);
    expect(output).toMatchObject({ warnings: [], reused: false });
    expect(stored?.candidates.map(({ name }) => name)).toEqual([output.deviceName]);
    expect(output.deviceName).not.toMatch(/^camera-old/);
    expect(files).toEqual(['credentials.json']);
  });

  it.each([
    ['an earlier run generated', ['run-0'], null],
    ['has been issued', [RUN], ISSUED],
    ['this run and an earlier one generated', ['run-0', RUN], null],
  ] as const)('keeps what %s, and names the device that may exist', async (_what, generatedBy, granted) => {
    const { output, files } = await startedOver(generatedBy, granted);
    expect(output.warnings?.join()).toContain('camera-old-1');
    expect(output.warnings?.join()).toContain('old.example:1883');
    expect(output.deviceName).not.toMatch(/^camera-old/);
    expect(files).toContainEqual(expect.stringMatching(/^credentials\.json\.superseded-/));
  });

  it('keeps what another board generated, although it has the same run id: that board has a device', async () => {
    const { output, files } = await startedOver([RUN], null, 'board-2');
    expect(output.warnings?.join()).toContain('another board');
    expect(files).toContainEqual(expect.stringMatching(/^credentials\.json\.foreign-/));
  });
});
