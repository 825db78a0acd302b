import { mkdir } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { readProvisionJson } from '../../src/config/provision/provisionJson.ts';
import { settingsDigest } from '../../src/config/provision/settingsDigest.ts';
import { reconcile } from '../../src/effects/reconcile.ts';
import { silentLog } from '../../src/log/log.ts';
import { Secret } from '../../src/secret.ts';
import { readCredentials, writeCredentials } from '../../src/state/credentials.ts';
import { accessToken } from '../support/accessToken.ts';
import { scene } from '../support/agentRun.ts';
import { effectCall, effectScene } from '../support/effectCall.ts';

const tokenOf = (nameIndex: number): string => `token-of-camera-${nameIndex}`;

/** Asks for the names of a run, on a server that has registered one of them. @param registered 0: none */
async function reconciled(registered: number, nameIndex: number, includeCurrent: boolean) {
  const devices = [{ name: 'c', credentials: { type: 'ACCESS_TOKEN', token: tokenOf(registered) } }] as const;
  const { simulator, paths } = await scene(registered === 0 ? {} : { devices });
  await mkdir(paths.stateFolder, { mode: 0o700 });
  const digest = settingsDigest((await readProvisionJson(paths.provisionJson)).settings);
  const { dependencies, events, of } = await effectScene(paths);
  await writeCredentials(paths.credentials, {
    target: { digest, host: '127.0.0.1', port: simulator.port },
    board: dependencies.board,
    // Not in the order of the names: the file says their numbers.
    candidates: [2, 1, 3].map((index) => ({
      nameIndex: index,
      name: `camera-${index}`,
      credentials: accessToken(tokenOf(index)),
      runId: 'run-1',
      answered: true,
    })),
    granted: null,
  });
  const output = await reconcile(dependencies, effectCall({ settingsDigest: digest, nameIndex, includeCurrent }));
  const stored = await readCredentials(paths.credentials, silentLog, 0);
  return {
    output,
    events: events(),
    of,
    granted: stored?.granted?.deviceName,
    connects: simulator.registry.counts.connects,
  };
}

it.each([1, 2, 3])('finds the device of name %i, also when a later name was generated', async (registered) => {
  const { output, granted, events, of } = await reconciled(registered, 3, true);
  expect(output).toMatchObject({ outcome: 'accepted', issued: { deviceName: `camera-${registered}` } });
  expect(granted).toBe(`camera-${registered}`);
  // The newest name first: its request is the latest.
  expect(events).toEqual([...Array.from({ length: 3 - registered }, () => 'reconcile.refused'), 'reconcile.accepted']);
  const token = new Secret(tokenOf(registered)).fingerprint();
  expect(of('reconcile.accepted')).toMatchObject([{ details: { deviceName: `camera-${registered}`, token } }]);
});

it('asks for the earlier names before the current name was sent', async () => {
  expect((await reconciled(1, 2, false)).output).toMatchObject({ issued: { deviceName: 'camera-1' } });
  expect((await reconciled(2, 2, false)).output).toMatchObject({ outcome: 'refused', issued: null });
});

it('never asks for a later name', async () => {
  expect(await reconciled(3, 2, true)).toMatchObject({ output: { outcome: 'refused' }, connects: 2 });
});

it('asks for every name before it says that there is no device', async () => {
  const { output, of, granted } = await reconciled(0, 3, true);
  expect(output.outcome).toBe('refused');
  const asked = of('reconcile.refused').map(({ details }) => details.deviceName);
  expect(asked).toEqual(['camera-3', 'camera-2', 'camera-1']);
  expect(granted).toBeUndefined();
});
