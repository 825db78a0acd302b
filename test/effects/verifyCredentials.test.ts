import { mkdir } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { readProvisionJson } from '../../src/config/provision/provisionJson.ts';
import { settingsDigest } from '../../src/config/provision/settingsDigest.ts';
import { verifyCredentials } from '../../src/effects/verifyCredentials.ts';
import { silentLog } from '../../src/log/log.ts';
import { Secret } from '../../src/secret.ts';
import type { SimulatorOptions } from '../../src/simulator/simulator.ts';
import { readCredentials, writeCredentials } from '../../src/state/credentials.ts';
import { accessToken, tokenOf } from '../support/accessToken.ts';
import { scene } from '../support/agentRun.ts';
import { effectCall, effectScene } from '../support/effectCall.ts';

const GARBLED = 'garbled-by-the-network';
const OWN = 'generated-by-the-device';
const EARLIER = 'generated-for-an-earlier-name';

/**
 * Tests credentials that were issued to camera-2 with a garbled token.
 * @param known the token that the server knows
 */
async function verified(known: string, server: SimulatorOptions = {}) {
  const devices = [{ name: 'a device', credentials: { type: 'ACCESS_TOKEN', token: known } }] as const;
  const { simulator, paths } = await scene({ ...server, devices });
  await mkdir(paths.stateFolder, { mode: 0o700 });
  const digest = settingsDigest((await readProvisionJson(paths.provisionJson)).settings);
  const { dependencies, of } = await effectScene(paths);
  await writeCredentials(paths.credentials, {
    target: { digest, host: '127.0.0.1', port: simulator.port },
    board: dependencies.board,
    candidates: [EARLIER, OWN].map((token, index) => ({
      nameIndex: index + 1,
      name: `camera-${index + 1}`,
      credentials: accessToken(token),
      runId: 'run-1',
      answered: true,
    })),
    granted: { deviceName: 'camera-2', credentials: accessToken(GARBLED), successSeenBy: 'run-1' },
  });
  const output = await verifyCredentials(dependencies, effectCall({ settingsDigest: digest, successSeen: true }));
  const stored = await readCredentials(paths.credentials, silentLog, 0);
  return { output, of, issued: tokenOf(stored?.granted?.credentials), address: `127.0.0.1:${simulator.port}`, paths };
}

test('a garbled token in the answer: the one that the device generated is proven, stored and named', async () => {
  const { output, issued, of } = await verified(OWN);
  const token = new Secret(OWN).fingerprint();
  expect(output).toMatchObject({
    outcome: 'proven',
    by: 'attributes',
    issued: { deviceName: 'camera-2', fingerprint: token, successSeen: true },
    warnings: of('verify.ownToken').map(({ message }) => message),
  });
  expect(issued).toBe(OWN);
  expect(of('verify.ownToken')).toMatchObject([{ details: { deviceName: 'camera-2', token } }]);
});

test.each([
  ["it refuses the device's own token too", 'unknown to the device'],
  ['it knows only the token of another name', EARLIER],
])('the server refuses the issued token, which stays if %s', async (_what, known) => {
  const { output, issued, of, address, paths } = await verified(known);
  expect(output).toMatchObject({ outcome: 'refused', failure: { code: 'CREDENTIALS_REFUSED' } });
  if (output.outcome !== 'refused') return;
  expect(output.failure.message).toBe(`${address} refuses the credentials that it issued to camera-2`);
  expect(output.failure.hint).toContain(paths.credentials);
  expect(issued).toBe(GARBLED);
  expect(of('verify.refused')).toMatchObject([{ details: { deviceName: 'camera-2' } }]);
  expect(of('verify.ownToken')).toEqual([]);
});

test('a token that is accepted without an answer is logged with the name of the device', async () => {
  const silent = { faults: [{ on: 'attributeRequest', action: 'answer', payload: '[]' }] } as const;
  const { output, of } = await verified(GARBLED, silent);
  expect(output).toMatchObject({ outcome: 'proven', by: 'connack' });
  expect(of('verify.unanswered')).toMatchObject([{ details: { deviceName: 'camera-2' } }]);
});
