import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createActor } from 'xstate';
import { createEffects } from '../../src/effects/index.ts';
import { request } from '../../src/effects/request.ts';
import { Failure } from '../../src/failures/failure.ts';
import type { SimulatorOptions } from '../../src/simulator/simulator.ts';
import { storeAnswered, storedCredentials } from '../../src/state/runCredentials.ts';
import { cutIn, deviceFolderFor, runDevice, scene, serverOfTest } from '../support/agentRun.ts';
import { effectCall, effectScene } from '../support/effectCall.ts';
import { provisionedProblems } from '../support/provisionedDevice.ts';

const inputOf = ({ runId, settings, nameIndex, unknownAt }: Awaited<ReturnType<typeof cutIn>>) => ({
  runId,
  settingsDigest: settings?.digest ?? '',
  nameIndex,
  unanswered: unknownAt !== null,
});

test("issued credentials that can't be stored are an unknown outcome, and the next start finds the device", async () => {
  const obstacle = { path: '' };
  const { simulator, paths } = await scene({
    onEvent: ({ type }) => type === 'commit' && void mkdirSync(obstacle.path),
  });
  obstacle.path = `${paths.credentials}.tmp`;
  const context = await cutIn(paths, 'request');
  const { dependencies } = await effectScene(paths);
  expect(await request(dependencies, effectCall(inputOf(context)))).toMatchObject({
    outcome: 'unknown',
    failure: { code: 'DISK_ERROR' },
  });
  rmSync(obstacle.path, { recursive: true });
  expect((await runDevice(paths)).of('reconcile.accepted')).toHaveLength(1);
  expect(await provisionedProblems(paths, simulator)).toEqual([]);
});

test('a name that is not in credentials.json is never sent', async () => {
  const { simulator, paths } = await scene();
  const context = await cutIn(paths, 'request');
  const { dependencies } = await effectScene(paths);
  const call = effectCall({ ...inputOf(context), nameIndex: 2 });
  const message = `${paths.credentials} holds no device name number 2`;
  await expect(request(dependencies, call)).rejects.toMatchObject({ code: 'CREDENTIALS_LOST', message });
  expect(simulator.registry.counts.connects).toBe(0);
});

test.each([4, 5] as const)('CONNACK %i to a request says nothing about the credentials of a device', async (code) => {
  const { paths } = await scene({ faults: [{ on: 'provisionConnect', action: 'refuse', code }] });
  const context = await cutIn(paths, 'request');
  const { dependencies } = await effectScene(paths);
  const call = effectCall(inputOf(context));
  await expect(request(dependencies, call)).rejects.toMatchObject({ code: 'CONNECTION_NOT_ACCEPTED' });
});

test('no request is sent before its state is durable', async () => {
  const { simulator, paths } = await scene();
  const context = await cutIn(paths, 'request');
  const { dependencies } = await effectScene(paths);
  const failure = new Failure('DISK_FULL', 'operation', { doing: 'write the snapshot', errno: 'ENOSPC' });
  const { actors, settled } = createEffects(dependencies, { durable: () => Promise.reject(failure) });
  const actor = createActor(actors.request, { input: inputOf(context) });
  const errors: unknown[] = [];
  actor.subscribe({ error: (error) => errors.push(error) });
  actor.start();
  await settled();
  expect(errors).toMatchObject([{ failure: { code: 'DISK_FULL' }, at: expect.any(Number) }]);
  expect(simulator.registry.counts.connects).toBe(0);
});

test('an actor that was stopped at the barrier sends nothing', async () => {
  const { simulator, paths } = await scene();
  const context = await cutIn(paths, 'request');
  const { dependencies } = await effectScene(paths);
  let open = (): void => {};
  const barrier = { durable: () => new Promise<void>((resolve) => (open = resolve)) };
  const { actors, settled } = createEffects(dependencies, barrier);
  const actor = createActor(actors.request, { input: inputOf(context) });
  actor.start();
  await Promise.resolve();
  await Promise.resolve();
  actor.stop();
  open();
  await settled();
  expect(simulator.registry.counts.connects).toBe(0);
});

/** A server with TLS, a device interrupted in `request`, and the effect's calls on the standby connection. */
async function sparedOverTls(server: SimulatorOptions = {}) {
  const simulator = await serverOfTest({ ...server, tls: 'generated' });
  const paths = await deviceFolderFor(simulator.port, { provisioning: { use_ssl: true, ca_file: 'ca.pem' } });
  writeFileSync(join(paths.deviceFolder, 'ca.pem'), simulator.caPem ?? '');
  const context = await cutIn(paths, 'request');
  const { dependencies, events } = await effectScene(paths);
  const spared: string[] = [];
  const note = (what: string): void => void spared.push([what, ...events()].join(' '));
  const standby = { open: () => note('open'), take: () => undefined, close: () => note('close') };
  return { spared, ended: request({ ...dependencies, standby }, effectCall(inputOf(context))) };
}

test('with TLS the next connection opens before the server has accepted this one', async () => {
  const { spared, ended } = await sparedOverTls();
  expect(await ended).toMatchObject({ outcome: 'granted' });
  expect(spared).toEqual(['open', 'open request.connected']);
});

test('the standby connection is closed when the server refuses', async () => {
  const { spared, ended } = await sparedOverTls({ faults: [{ on: 'connect', action: 'refuse', code: 3 }] });
  await expect(ended).rejects.toMatchObject({ code: 'SERVER_UNAVAILABLE' });
  expect(spared).toEqual(['open', 'close']);
});

test('a standby connection is not used after a lost answer: the fault may have broken it too', async () => {
  const { spared, ended } = await sparedOverTls({ faults: [{ on: 'request', action: 'dropAnswerAndClose' }] });
  expect(await ended).toMatchObject({ outcome: 'unknown' });
  expect(spared.map((line) => line.split(' ')[0])).toEqual(['open', 'open', 'close']);
});

/** Whether every request with the name was answered: before the request, while the server has it, and after it. */
async function answersKnown(before: boolean, unanswered: boolean, server: SimulatorOptions) {
  const credentials = { path: '' };
  const read = (): boolean => JSON.parse(readFileSync(credentials.path, 'utf8')).candidates[0].answered;
  const during: boolean[] = [];
  const { paths } = await scene({ ...server, onEvent: ({ type }) => type === 'request' && void during.push(read()) });
  credentials.path = paths.credentials;
  const context = await cutIn(paths, 'request');
  const { dependencies } = await effectScene(paths);
  await storeAnswered(dependencies, await storedCredentials(dependencies), 1, before);
  const output = await request(dependencies, effectCall({ ...inputOf(context), unanswered })).catch(() => null);
  return { outcome: output?.outcome, during, after: read() };
}

const REFUSING: SimulatorOptions = { deviceLimit: 0 };

test('FAILURE is noted with the name, so that a later run knows that no answer is missing', async () => {
  expect(await answersKnown(false, false, REFUSING)).toEqual({ outcome: 'failure', during: [false], after: true });
});

test('FAILURE does not make up for an earlier request without an answer', async () => {
  expect(await answersKnown(false, true, REFUSING)).toEqual({ outcome: 'failure', during: [false], after: false });
});

test('the note is removed before the next request is sent: after a kill that answer is missing', async () => {
  expect(await answersKnown(true, false, REFUSING)).toEqual({ outcome: 'failure', during: [false], after: true });
  const lost: SimulatorOptions = { faults: [{ on: 'request', action: 'close' }] };
  expect(await answersKnown(true, false, lost)).toEqual({ outcome: 'unknown', during: [false], after: false });
});

test('a request that was not sent leaves the note', async () => {
  const refused: SimulatorOptions = { faults: [{ on: 'provisionConnect', action: 'refuse', code: 3 }] };
  expect(await answersKnown(true, false, refused)).toEqual({ outcome: undefined, during: [], after: true });
  expect(await answersKnown(false, false, refused)).toMatchObject({ after: false });
});

test('NOT_FOUND registers no device, so the note stays', async () => {
  expect(await answersKnown(true, false, { deviceKey: 'another-key' })).toEqual({
    outcome: undefined,
    during: [false],
    after: true,
  });
});

test('a device with credentials of another kind exists, so the note is gone', async () => {
  const payload = '{"credentialsValue":"{}","credentialsType":"LWM2M_CREDENTIALS","status":"SUCCESS"}';
  const lwm2m: SimulatorOptions = { faults: [{ on: 'request', action: 'answer', payload }] };
  expect(await answersKnown(true, false, lwm2m)).toMatchObject({ outcome: undefined, after: false });
});

const ISSUED = '{"credentialsValue":"of-the-server","credentialsType":"ACCESS_TOKEN","status":"SUCCESS"}';

/** One request of an interrupted run: how it ends, and the lines that it logs. */
async function asked(server: SimulatorOptions) {
  const { simulator, paths } = await scene(server);
  const context = await cutIn(paths, 'request');
  const { dependencies, of } = await effectScene(paths);
  const output = await request(dependencies, effectCall(inputOf(context))).catch((error: unknown) => error);
  return { output, of, context, address: `127.0.0.1:${simulator.port}` };
}

test('each end of a request is logged with its facts', async () => {
  const failed = await asked(REFUSING);
  expect(failed.of('request.connected')).toMatchObject([{ details: { server: failed.address } }]);
  expect(failed.of('request.failure')).toMatchObject([{ details: { deviceName: failed.context.deviceName } }]);
  const unknown = await asked({ faults: [{ on: 'request', action: 'close' }] });
  expect(unknown.of('request.unknown')).toMatchObject([{ details: { code: 'CONNECTION_LOST' } }]);
});

test.each([
  ["this device's", [], 'device'],
  ["the server's", [{ on: 'request', action: 'answer', payload: ISSUED }], 'server'],
] as const)('the log says whether the issued token is %s', async (_whose, faults, tokenFrom) => {
  const { of } = await asked({ faults });
  expect(of('request.granted')).toMatchObject([{ details: { tokenFrom } }]);
});

test('an unknown key is a failure that names the server', async () => {
  const { output, address } = await asked({ deviceKey: 'another-key' });
  expect(output).toMatchObject({ code: 'PROVISION_KEY_REFUSED', message: expect.stringContaining(address) });
});
