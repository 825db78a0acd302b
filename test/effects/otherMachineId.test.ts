import { mkdir } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { readProvisionJson } from '../../src/config/provision/provisionJson.ts';
import { settingsDigest } from '../../src/config/provision/settingsDigest.ts';
import type { BoardIdentity } from '../../src/device/board.ts';
import { checkStoredCredentials } from '../../src/doctor/storedCredentials.ts';
import { prepare } from '../../src/effects/prepare.ts';
import { writeCredentials } from '../../src/state/credentials.ts';
import { readStoredCredentials } from '../../src/status/storedCredentials.ts';
import { accessToken } from '../support/accessToken.ts';
import { deviceFolderFor } from '../support/agentRun.ts';
import { effectCall, effectScene } from '../support/effectCall.ts';

const identity = (machine: string, more: Partial<BoardIdentity> = {}): BoardIdentity => ({
  serial: null,
  machine,
  address: 'a',
  ...more,
});

/** What this board does with, and says of, a run that an earlier boot has begun. */
async function nextBoot(stored: BoardIdentity, board: BoardIdentity) {
  const paths = await deviceFolderFor(1883);
  await mkdir(paths.stateFolder, { mode: 0o700 });
  const digest = settingsDigest((await readProvisionJson(paths.provisionJson)).settings);
  await writeCredentials(paths.credentials, {
    target: { digest, host: 'tb.example', port: 1883 },
    board: stored,
    candidates: [{ nameIndex: 1, name: 'camera-old', credentials: accessToken('t'), answered: false, runId: 'run-0' }],
    granted: null,
  });
  const doctor = (await checkStoredCredentials(paths.credentials, board)).findings.map(({ hint }) => hint).join();
  const status = (await readStoredCredentials(paths.credentials, board)).value;
  const { dependencies } = await effectScene(paths);
  const input = { runId: 'run-1', settingsDigest: digest, nameIndex: 1, startedOver: false };
  const { warnings, deviceName } = await prepare({ ...dependencies, board }, effectCall(input));
  return { warnings: warnings?.join(), deviceName, doctor, status };
}

test('a machine-id that changes at each boot does not end a run: the network address identifies the board', async () => {
  const changing = { volatileMachine: true };
  const boot = await nextBoot(identity('m', changing), identity('n', changing));
  expect(boot).toMatchObject({ deviceName: 'camera-old', warnings: '', status: { foreign: false } });
});

test('a lasting machine-id that changed alone is named, and a cloned card still never resumes the run', async () => {
  const boot = await nextBoot(identity('m'), identity('n'));
  expect(boot.deviceName).not.toBe('camera-old');
  expect(boot.warnings).toMatch(/another machine-id, though the network address is the same .* camera-old may exist/);
  expect(boot.doctor).toMatch(/Only the machine-id differs/);
  expect(boot.status).toMatchObject({ foreign: true, mayBeThisBoard: true });
});

test('on a board with another network address, the run is that of another board', async () => {
  const boot = await nextBoot(identity('m'), identity('n', { address: 'b' }));
  expect(boot.deviceName).not.toBe('camera-old');
  expect(boot.warnings).toMatch(/belongs to another board \(was the card cloned\?\)/);
  expect(boot.doctor).toMatch(/Was the card cloned/);
  expect(boot.status).toMatchObject({ foreign: true, mayBeThisBoard: false });
});
