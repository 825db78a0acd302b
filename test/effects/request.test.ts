import { mkdirSync, rmSync } from 'node:fs';
import { expect, test } from 'vitest';
import { createActor } from 'xstate';
import { createEffects } from '../../src/effects/index.ts';
import { request } from '../../src/effects/request.ts';
import { Failure } from '../../src/failure.ts';
import { cutIn, runDevice, scene } from '../support/agentRun.ts';
import { effectCall, effectScene } from '../support/effectCall.ts';
import { provisionedProblems } from '../support/provisionedDevice.ts';

const inputOf = ({ runId, settings, nameIndex }: Awaited<ReturnType<typeof cutIn>>) => ({
  runId,
  settingsDigest: settings?.digest ?? '',
  nameIndex,
});

test('a grant that can not be stored is an unknown outcome, and the next start finds the device', async () => {
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

test('a state that is not durable lets no request pass', async () => {
  const { simulator, paths } = await scene();
  const context = await cutIn(paths, 'request');
  const { dependencies } = await effectScene(paths);
  const failure = new Failure('DISK_FULL', 'no space for the snapshot');
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
