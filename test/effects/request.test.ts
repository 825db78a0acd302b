import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createActor } from 'xstate';
import { createEffects } from '../../src/effects/index.ts';
import { request } from '../../src/effects/request.ts';
import { Failure } from '../../src/failures/failure.ts';
import type { SimulatorOptions } from '../../src/simulator/simulator.ts';
import { cutIn, deviceFolderFor, runDevice, scene, serverOfTest } from '../support/agentRun.ts';
import { effectCall, effectScene } from '../support/effectCall.ts';
import { provisionedProblems } from '../support/provisionedDevice.ts';

const inputOf = ({ runId, settings, nameIndex }: Awaited<ReturnType<typeof cutIn>>) => ({
  runId,
  settingsDigest: settings?.digest ?? '',
  nameIndex,
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
  await expect(request(dependencies, call)).rejects.toMatchObject({ code: 'CREDENTIALS_LOST' });
  expect(simulator.registry.counts.connects).toBe(0);
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
