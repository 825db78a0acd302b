import { readFile, rename, writeFile } from 'node:fs/promises';
import { test } from 'vitest';
import { isFinalState, PROVISION_STATES } from '../../machines/provision.states.ts';
import { devicePaths } from '../../src/device/paths.ts';
import type { MessageAction } from '../../src/simulator/faults.ts';
import { readDeviceFiles } from '../../src/status/deviceFiles.ts';
import { makeStatus } from '../../src/status/makeStatus.ts';
import { runDevice, scene } from '../support/agentRun.ts';
import { BOARD_SECRET, boardSecret, newCard, wipe } from '../support/boardSecret.ts';
import { provisionJsonText, putTrigger } from '../support/deviceFiles.ts';
import { folderInRam } from '../support/folderInRam.ts';
import { configuredDevice, provisionedProblems } from '../support/provisionedDevice.ts';
import { assertNoSecrets } from '../support/secretSearch.ts';
import { DEVICE_KEY, DEVICE_SECRET, startServer } from '../support/server.ts';

test.concurrent('a wiped camera uses its device again, and sends no request', async ({ expect, onTestFinished }) => {
  const simulator = await startServer(onTestFinished);
  const paths = await newCard(simulator.port, await boardSecret(onTestFinished), onTestFinished);
  const first = await runDevice(paths);
  expect(first).toMatchObject({ outcome: 'provisioned', deviceName: 'hall-7' });
  expect(first.of('reconcile.recovered')).toEqual([]);
  const { token } = await configuredDevice(paths);

  await wipe(paths);
  const again = await runDevice(paths);
  expect(again).toMatchObject({ outcome: 'provisioned', deviceName: 'hall-7' });
  expect(again.states).not.toContain('request');
  expect(again.of('reconcile.recovered')).toMatchObject([{ details: { deviceName: 'hall-7' } }]);
  expect((await configuredDevice(paths)).token).toBe(token);
  expect(simulator.registry.counts.provisionRequests).toBe(1);
  expect(await provisionedProblems(paths, simulator)).toEqual([]);
  const { status, onServer, warnings } = makeStatus(await readDeviceFiles(paths));
  expect([status, warnings]).toEqual(['done', []]);
  expect(onServer).toMatchObject({ kind: 'one device', names: ['hall-7'], why: expect.stringContaining('used again') });
});

test.concurrent('with a new card a camera uses its device again', async ({ expect, onTestFinished }) => {
  const simulator = await startServer(onTestFinished);
  const secret = await boardSecret(onTestFinished);
  expect((await runDevice(await newCard(simulator.port, secret, onTestFinished))).outcome).toBe('provisioned');
  const other = await newCard(simulator.port, secret, onTestFinished);
  expect(await runDevice(other)).toMatchObject({ outcome: 'provisioned', deviceName: 'hall-7' });
  expect(simulator.registry.counts.provisionRequests).toBe(1);
  expect(await provisionedProblems(other, simulator)).toEqual([]);
});

test.concurrent('provisioning again on purpose renews the configuration, and makes no device', async ({
  expect,
  onTestFinished,
}) => {
  const simulator = await startServer(onTestFinished);
  const paths = await newCard(simulator.port, await boardSecret(onTestFinished), onTestFinished);
  await runDevice(paths);
  await putTrigger(paths);
  const again = await runDevice(paths);
  expect(again.outcome).toBe('provisioned');
  expect(again.of('reconcile.recovered')[0]?.message).toContain('its configuration is renewed');
  expect(await provisionedProblems(paths, simulator)).toEqual([]);
});

test.concurrent('with MQTT_BASIC credentials it is the same', async ({ expect, onTestFinished }) => {
  const simulator = await startServer(onTestFinished);
  const device = { credentials: 'mqtt_basic' };
  const paths = await newCard(simulator.port, await boardSecret(onTestFinished), onTestFinished, { device });
  await runDevice(paths);
  const before = await readFile(paths.thermalConfig, 'utf8');
  await wipe(paths);
  const again = await runDevice(paths);
  expect(again.of('reconcile.recovered')).toHaveLength(1);
  const stable = (text: string): string => text.replace(/"(?:provisioned_at|run_id)": "[^"]+"/g, '');
  expect(stable(await readFile(paths.thermalConfig, 'utf8'))).toBe(stable(before));
  expect(simulator.registry.counts.provisionRequests).toBe(1);
  expect(simulator.registry.size).toBe(1);
});

const STOPS = PROVISION_STATES.filter((state) => !isFinalState(state) && !['restore', 'backoff'].includes(state));

test.concurrent.for(STOPS)('everything is lost in %s: still one device', async (state, { expect, onTestFinished }) => {
  const simulator = await startServer(onTestFinished);
  const paths = await newCard(simulator.port, await boardSecret(onTestFinished), onTestFinished);
  expect(await runDevice(paths, { interruptIn: state })).toMatchObject({ outcome: 'interrupted' });
  await wipe(paths);
  expect((await runDevice(paths)).outcome).toBe('provisioned');
  expect(await provisionedProblems(paths, simulator)).toEqual([]);
});

const LOST: readonly MessageAction[] = [
  { action: 'close' },
  { action: 'silence' },
  { action: 'dropAnswer' },
  { action: 'dropAnswerAndClose' },
  { action: 'malformedAnswer' },
];

test.concurrent.for(LOST)(
  'the answer is lost ($action), and then everything else: one device',
  async (lost, { expect, onTestFinished }) => {
    const { simulator } = await scene({ faults: [{ on: 'request', nth: 1, ...lost }] }, {}, onTestFinished);
    const paths = await newCard(simulator.port, await boardSecret(onTestFinished), onTestFinished, {
      provisioning: { max_retries: 0 },
    });
    await runDevice(paths, { onState: (state) => void (state === 'reconcile' && simulator.registry.size) });
    await wipe(paths);
    expect((await runDevice(paths)).outcome).toBe('provisioned');
    expect(await provisionedProblems(paths, simulator)).toEqual([]);
  },
);

test.concurrent('a lost answer in the same run is an earlier request that succeeded, not an earlier life', async ({
  expect,
  onTestFinished,
}) => {
  const { simulator } = await scene({ faults: [{ on: 'request', nth: 1, action: 'dropAnswer' }] }, {}, onTestFinished);
  const run = await runDevice(await newCard(simulator.port, await boardSecret(onTestFinished), onTestFinished));
  expect(run.outcome).toBe('provisioned');
  expect(run.of('reconcile.accepted')).toHaveLength(1);
  expect(run.of('reconcile.recovered')).toEqual([]);
});

test.concurrent('a wiped camera asks again while the slow server still carries out its first request: one device', async ({
  expect,
  onTestFinished,
}) => {
  const controller = new AbortController();
  const simulator = await startServer(onTestFinished, {
    commitDelayMs: 400,
    onEvent: (event) => {
      if (event.type === 'request' && event.nth === 1) controller.abort(new Error('interrupted by the test'));
    },
  });
  const paths = await newCard(simulator.port, await boardSecret(onTestFinished), onTestFinished);
  expect((await runDevice(paths, { signal: controller.signal })).outcome).toBe('interrupted');
  await wipe(paths);
  expect((await runDevice(paths)).outcome).toBe('provisioned');
  expect(simulator.registry.counts.provisionRequests).toBe(2);
  expect(await provisionedProblems(paths, simulator)).toEqual([]);
});

test.concurrent('on storage in RAM three boots are one device', async ({ expect, onTestFinished }) => {
  const simulator = await startServer(onTestFinished);
  const secret = await boardSecret(onTestFinished);
  for (const requests of [1, 1, 1]) {
    const paths = devicePaths(await folderInRam(onTestFinished));
    const provisioning = { device_key: DEVICE_KEY, device_secret: DEVICE_SECRET, board_secret_file: secret };
    const device = { name: 'hall-7' };
    await writeFile(paths.provisionJson, provisionJsonText({ port: simulator.port, provisioning, device }));
    await putTrigger(paths);
    const run = await runDevice(paths);
    expect(run).toMatchObject({ outcome: 'provisioned', deviceName: 'hall-7' });
    expect(run.of('storage.volatile')).toMatchObject([{ message: expect.stringContaining('board secret') }]);
    expect(simulator.registry.counts.provisionRequests).toBe(requests);
    expect(await provisionedProblems(paths, simulator)).toEqual([]);
    expect(makeStatus(await readDeviceFiles(paths))).toMatchObject({ status: 'done', warnings: [] });
  }
});

test.concurrent('THERMAL_BOARD_SECRET_FILE is stronger than provision.json', async ({ expect, onTestFinished }) => {
  const simulator = await startServer(onTestFinished);
  const secret = await boardSecret(onTestFinished);
  await runDevice(await newCard(simulator.port, secret, onTestFinished));
  const paths = await newCard(simulator.port, '/absent', onTestFinished);
  const run = await runDevice(paths, { externalSettings: { boardSecretFile: secret } });
  expect(run.of('reconcile.recovered')).toHaveLength(1);
});

test.concurrent('a camera with another secret does not get the device, and leaves it as it is', async ({
  expect,
  onTestFinished,
}) => {
  const simulator = await startServer(onTestFinished);
  const paths = await newCard(simulator.port, await boardSecret(onTestFinished), onTestFinished);
  await runDevice(paths);
  const other = await boardSecret(onTestFinished, 'secret of another board');
  const clone = await newCard(simulator.port, other, onTestFinished);
  const run = await runDevice(clone);
  expect(run).toMatchObject({ outcome: 'failed', exitStatus: 78, failure: { code: 'DEVICE_NAME_TAKEN' } });
  expect(run.failure?.message).toContain('board secret');
  expect(await provisionedProblems(paths, simulator)).toEqual([]);
  expect(makeStatus(await readDeviceFiles(clone)).onServer).toMatchObject({ kind: 'most likely none' });
});

test.concurrent('another token_generation needs the device to be deleted first, and then makes the old token useless', async ({
  expect,
  onTestFinished,
}) => {
  const simulator = await startServer(onTestFinished);
  const secret = await boardSecret(onTestFinished);
  const first = await newCard(simulator.port, secret, onTestFinished);
  await runDevice(first);
  const { token } = await configuredDevice(first);
  const provisioning = { token_generation: 2 };
  const second = await newCard(simulator.port, secret, onTestFinished, { provisioning });
  const refused = await runDevice(second);
  expect(refused).toMatchObject({ outcome: 'failed', failure: { code: 'DEVICE_NAME_TAKEN' } });
  expect(refused.failure?.hint).toMatch(/token_generation.*delete the device on the server/);

  simulator.registry.deleteDevice('hall-7');
  expect((await runDevice(second)).outcome).toBe('provisioned');
  expect((await configuredDevice(second)).token).not.toBe(token);
  expect(await provisionedProblems(second, simulator)).toEqual([]);
});

test.concurrent('a pre-provisioned device has credentials of the server, which no board secret brings back', async ({
  expect,
  onTestFinished,
}) => {
  const devices = [{ name: 'hall-7', credentials: { type: 'ACCESS_TOKEN', token: 'token-of-the-operator' } }] as const;
  const simulator = await startServer(onTestFinished, { strategy: 'CHECK_PRE_PROVISIONED_DEVICES', devices });
  const paths = await newCard(simulator.port, await boardSecret(onTestFinished), onTestFinished);
  expect((await runDevice(paths)).outcome).toBe('provisioned');
  expect((await configuredDevice(paths)).token).toBe('token-of-the-operator');
  await wipe(paths);
  const run = await runDevice(paths);
  expect(run).toMatchObject({ outcome: 'failed', failure: { code: 'DEVICE_NAME_TAKEN' } });
  expect(run.failure?.hint).toContain('provisionState');
});

const UNUSED: readonly (readonly [what: string, files: Parameters<typeof newCard>[3], why: string])[] = [
  ['a random name', { device: { name: undefined } }, 'the device name is random'],
  ['a name with a random part', { device: { name: 'hall-{random}' } }, 'the device name is random'],
  [
    'an X.509 key',
    { device: { credentials: 'x509' }, provisioning: { use_ssl: true } },
    'an X.509 key is always random',
  ],
];

test.concurrent.for(UNUSED)(
  'with %s the board secret is not used, and a warning says so',
  async ([_what, more, why], { expect, onTestFinished }) => {
    const simulator = await startServer(onTestFinished);
    const paths = await newCard(simulator.port, undefined, onTestFinished, more);
    const run = await runDevice(paths, { externalSettings: { boardSecretFile: '/absent' }, interruptIn: 'request' });
    expect(run.of('validate.warning').map(({ message }) => message)).toEqual([
      `The board secret is not used, because ${why}: a lost card loses the device`,
    ]);
    expect(run.states).toEqual(['detect', 'validate', 'prepare', 'request']);
  },
);

test.concurrent('neither the board secret nor what it gives is in a log or in a file that must hold no secrets', async ({
  expect,
  onTestFinished,
}) => {
  const { simulator } = await scene({ faults: [{ on: 'request', nth: 1, action: 'dropAnswer' }] }, {}, onTestFinished);
  const paths = await newCard(simulator.port, await boardSecret(onTestFinished), onTestFinished);
  const first = await runDevice(paths);
  await wipe(paths);
  const again = await runDevice(paths);
  const { token } = await configuredDevice(paths);
  const status = JSON.stringify(makeStatus(await readDeviceFiles(paths)));
  await assertNoSecrets(paths.deviceFolder, first.text + again.text + status, [BOARD_SECRET, token]);
  expect(again.of('reconcile.recovered')).toHaveLength(1);
});

test.concurrent('a board that got another machine-id meanwhile is still the board of its secret', async ({
  expect,
  onTestFinished,
}) => {
  const { simulator } = await scene({ faults: [{ on: 'request', nth: 1, action: 'dropAnswer' }] }, {}, onTestFinished);
  const paths = await newCard(simulator.port, await boardSecret(onTestFinished), onTestFinished);
  await runDevice(paths, { interruptIn: 'reconcile' });
  const run = await runDevice(paths, { boardId: 'board-2' });
  expect(run).toMatchObject({ outcome: 'provisioned', deviceName: 'hall-7' });
  expect(run.of('credentials.foreign')).toEqual([]);
  expect(await provisionedProblems(paths, simulator)).toEqual([]);
  expect(makeStatus(await readDeviceFiles(paths))).toMatchObject({ status: 'done', warnings: [], setAside: [] });
});

test.concurrent('an unusable board secret ends the run before any contact', async ({ expect, onTestFinished }) => {
  const simulator = await startServer(onTestFinished);
  const secret = await boardSecret(onTestFinished, 'fifteen-bytes!!');
  const paths = await newCard(simulator.port, secret, onTestFinished);
  expect(await runDevice(paths)).toMatchObject({ outcome: 'failed', failure: { code: 'BOARD_SECRET_UNUSABLE' } });
  expect(simulator.registry.counts.connects).toBe(0);
  await rename(await boardSecret(onTestFinished), secret);
  expect((await runDevice(paths)).outcome).toBe('provisioned');
});
