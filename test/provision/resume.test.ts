import { readFile, rm } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { ACTIVE_STATES, type ProvisionState, STEPS, stepsDone } from '../../machines/provision.states.ts';
import type { SimulatorEvent } from '../../src/simulator/events.ts';
import type { SimulatorOptions } from '../../src/simulator/simulator.ts';
import { cutIn, runDevice, scene, storeSnapshot } from '../support/agentRun.ts';
import { OLD_CONFIG } from '../support/deviceFiles.ts';
import { provisionedProblems } from '../support/provisionedDevice.ts';

/** Faults that lead a run through the states outside the main path. */
const WAY_TO: Partial<Record<ProvisionState, SimulatorOptions>> = {
  backoff: { faults: [{ on: 'provisionConnect', nth: 1, action: 'refuse', code: 3 }] },
  reconcile: { faults: [{ on: 'request', nth: 1, action: 'dropAnswerAndClose' }] },
};
const RESUMABLE = ACTIVE_STATES.filter((state) => state !== 'restore');

describe.each(RESUMABLE)('interrupted in %s', (state) => {
  test('the next start resumes there, and ends with one device', async () => {
    const { simulator, paths } = await scene(WAY_TO[state]);
    const { runId } = await cutIn(paths, state);
    const run = await runDevice(paths);
    expect(run).toMatchObject({ outcome: 'provisioned', exitStatus: 0, runId });
    expect(run.of('run.resumed')).toMatchObject([{ details: { from: state } }]);
    const marked = run.of('state.entered').map(({ details }) => details.resumed);
    // A pause has its own log line.
    expect(marked).toEqual([state === 'backoff' ? undefined : true, ...marked.slice(1).fill(undefined)]);
    expect(await provisionedProblems(paths, simulator)).toEqual([]);
  });

  test('with the snapshot that SIGTERM leaves, too', async () => {
    const { simulator, paths } = await scene(WAY_TO[state]);
    const cut = await runDevice(paths, { interruptIn: state });
    expect(cut).toMatchObject({ outcome: 'interrupted', exitStatus: 75, failure: null });
    expect(cut.of('run.failed')).toEqual([]);
    expect((await runDevice(paths)).outcome).toBe('provisioned');
    expect(await provisionedProblems(paths, simulator)).toEqual([]);
  });
});

test.each(['request', 'commit', 'answer'] as const)('interrupted when the server reaches its %s', async (type) => {
  const controller = new AbortController();
  const onEvent = (event: SimulatorEvent): void => {
    if (event.type === type) controller.abort(new Error('interrupted by the test'));
  };
  const { simulator, paths } = await scene({ onEvent, latencyMs: 30, commitDelayMs: 30 });
  expect((await runDevice(paths, { signal: controller.signal })).outcome).toBe('interrupted');
  const run = await runDevice(paths);
  expect(run.outcome).toBe('provisioned');
  const { event } = run.records.find((record) => /^(reconcile|request)\./.test(record.event)) ?? {};
  expect(event, 'probed before anything was sent again').toMatch(/^reconcile\./);
  expect(await provisionedProblems(paths, simulator)).toEqual([]);
});

test('interrupted in every state, one after the other, it is still one device', async () => {
  const { simulator, paths } = await scene();
  for (const state of STEPS.filter((step) => step !== 'detect')) {
    await cutIn(paths, state);
  }
  expect((await runDevice(paths)).outcome).toBe('provisioned');
  expect(await provisionedProblems(paths, simulator)).toEqual([]);
});

test('an interruption before the start counts, too', async () => {
  const { simulator, paths } = await scene();
  const run = await runDevice(paths, { signal: AbortSignal.abort(new Error('before')) });
  expect(run).toMatchObject({ outcome: 'interrupted', exitStatus: 75, states: [] });
  expect(simulator.registry.counts.connects).toBe(0);
});

test('a run that was interrupted in restore puts the backup back first', async () => {
  const { simulator, paths } = await scene();
  const context = await cutIn(paths, 'finalize');
  expect(await readFile(paths.thermalConfig, 'utf8')).not.toBe(OLD_CONFIG);
  await storeSnapshot(paths, 'restore', context);
  const restored = await runDevice(paths);
  expect(restored).toMatchObject({ outcome: 'failed', exitStatus: 74, failure: { code: 'CONFIG_NOT_WRITTEN' } });
  expect(await readFile(paths.thermalConfig, 'utf8')).toBe(OLD_CONFIG);
  const next = await runDevice(paths);
  expect(next.outcome).toBe('provisioned');
  expect(next.runId).not.toBe(restored.runId);
  expect(await provisionedProblems(paths, simulator)).toEqual([]);
});

test('the backup is put back even when provision.txt was removed meanwhile', async () => {
  const { paths } = await scene();
  const context = await cutIn(paths, 'finalize');
  await storeSnapshot(paths, 'restore', { ...context, furthestStep: stepsDone('write') ?? 0 });
  await rm(paths.provisionTxt);
  expect(await runDevice(paths)).toMatchObject({ outcome: 'failed', failure: { code: 'CONFIG_NOT_WRITTEN' } });
  expect(await readFile(paths.thermalConfig, 'utf8')).toBe(OLD_CONFIG);
  expect(await runDevice(paths)).toMatchObject({ outcome: 'withdrawn', exitStatus: 0 });
});

test('the state in which a run was killed appears again in its history', async () => {
  const { paths } = await scene();
  await cutIn(paths, 'verifyCredentials');
  await runDevice(paths);
  const { history } = JSON.parse(await readFile(paths.snapshot, 'utf8'));
  expect(history.slice(0, 2)).toMatchObject([
    { state: 'verifyCredentials', attempt: 1, durationMs: null, resumed: false },
    { state: 'verifyCredentials', attempt: 2, durationMs: expect.any(Number), resumed: true },
  ]);
});
