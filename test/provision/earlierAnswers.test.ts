import { readFile, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import type { DevicePaths } from '../../src/device/paths.ts';
import { readDeviceFiles } from '../../src/status/deviceFiles.ts';
import { explanation } from '../../src/status/explanation.ts';
import { makeStatus } from '../../src/status/makeStatus.ts';
import { planReset } from '../../src/status/resetPlan.ts';
import { runDevice, scene, serverOfTest } from '../support/agentRun.ts';
import { provisionedProblems } from '../support/provisionedDevice.ts';

const HALL = { device: { name: 'hall-7' } } as const;
const PROBES = [1000, 2000, 4000];

const filesOf = (paths: DevicePaths) => readDeviceFiles(paths, { boardId: 'board-1' });
const serverText = async (paths: DevicePaths): Promise<string> => makeStatus(await filesOf(paths)).onServer.why;

test('a second run for a taken name is as quick as the first, and tells of no missing answer', async () => {
  const { simulator, paths } = await scene({ devices: [{ name: 'hall-7' }] }, HALL);
  for (const _run of ['first', 'second', 'third']) {
    const run = await runDevice(paths);
    expect(run.failure).toMatchObject({ code: 'DEVICE_NAME_TAKEN' });
    expect(run.failure?.message).not.toContain('may be our own');
    expect(run.pauses).toEqual(PROBES);
    const files = await filesOf(paths);
    expect(makeStatus(files).onServer).toMatchObject({
      kind: 'no device',
      why: expect.stringContaining('answered every'),
    });
    // The device of that name belongs to another camera.
    const plan = await planReset(files);
    expect(plan.kind === 'reset' ? plan.consequences[0] : plan).toMatch(/^Nothing is left on/);
  }
  simulator.registry.deleteDevice('hall-7');
  expect((await runDevice(paths)).outcome).toBe('provisioned');
  expect(await provisionedProblems(paths, simulator)).toEqual([]);
});

test('a request that was once left without an answer stays in memory, through later answers and runs', async () => {
  const { simulator, paths } = await scene(
    {
      strategy: 'CHECK_PRE_PROVISIONED_DEVICES',
      devices: [{ name: 'hall-7' }],
      faults: [{ on: 'request', nth: 1, action: 'dropAnswerAndClose' }],
    },
    { ...HALL, provisioning: { max_retries: 0 } },
  );
  expect((await runDevice(paths)).failure?.code).toBe('CONNECTION_LOST');
  for (const _run of ['second', 'third']) {
    const run = await runDevice(paths);
    expect(run.failure).toMatchObject({ code: 'DEVICE_NAME_TAKEN' });
    expect(run.failure?.message).toContain('the device may be our own');
    expect(run.failure?.hint).not.toContain('another device.name');
    expect(run.pauses.reduce((sum, pause) => sum + pause, 0)).toBeGreaterThan(20_000);
    expect(await serverText(paths)).toContain('no known outcome');
  }
  simulator.registry.deleteProvisionState('hall-7');
  expect((await runDevice(paths)).outcome).toBe('provisioned');
});

test('a run that fails before it asks does not forget that the earlier requests were answered', async () => {
  const { paths } = await scene({ devices: [{ name: 'hall-7' }] }, HALL);
  await runDevice(paths);
  const json = await readFile(paths.provisionJson, 'utf8');
  await writeFile(paths.provisionJson, '{');
  expect((await runDevice(paths)).failure?.code).toBe('PROVISION_JSON_INVALID');
  expect(makeStatus(await filesOf(paths)).onServer.kind).toBe('no device');
  await writeFile(paths.provisionJson, json);
  expect((await runDevice(paths)).pauses).toEqual(PROBES);
});

test('a device limit is reported within seconds, at once in the next run, and asks nobody to delete a device', async () => {
  const { simulator, paths } = await scene({ deviceLimit: 0 }, { provisioning: { max_retries: 0 } });
  const first = await runDevice(paths);
  const next = await runDevice(paths);
  expect([first.pauses, next.pauses]).toEqual([PROBES, []]);
  for (const { failure } of [first, next]) {
    expect(failure?.code).toBe('PROVISIONING_REFUSED');
    expect(failure?.hint).toContain('device limit');
    expect(`${failure?.message} ${failure?.hint}`).not.toMatch(/delete|may be our own/);
  }
  expect(simulator.registry.counts.provisionRequests).toBe(4);
  expect(explanation(await filesOf(paths))).not.toMatch(/delete|Delete/);
});

test.each([
  ['creates new devices', {}, /^The profile creates new devices.*delete the device hall-7/],
  [
    'checks pre-provisioned devices',
    { strategy: 'CHECK_PRE_PROVISIONED_DEVICES', devices: [{ name: 'hall-7' }] },
    /^The profile checks pre-provisioned devices: delete the server attribute provisionState of hall-7/,
  ],
] as const)('after a success the hint knows that the profile %s', async (_what, server, hint) => {
  const { paths } = await scene(server, HALL);
  expect((await runDevice(paths)).outcome).toBe('provisioned');
  for (const _run of ['second', 'third']) {
    await writeFile(paths.provisionTxt, '');
    expect((await runDevice(paths)).failure).toMatchObject({
      code: 'DEVICE_NAME_TAKEN',
      hint: expect.stringMatching(hint),
    });
  }
});

test('other settings may be of another profile, so the hint names both strategies', async () => {
  const { simulator, paths } = await scene({}, HALL);
  expect((await runDevice(paths)).outcome).toBe('provisioned');
  const other = await serverOfTest({ devices: [{ name: 'hall-7' }] });
  const json = await readFile(paths.provisionJson, 'utf8');
  await writeFile(paths.provisionJson, json.replace(String(simulator.port), String(other.port)));
  await writeFile(paths.provisionTxt, '');
  const { failure } = await runDevice(paths);
  expect(failure?.hint).toMatch(/If the profile creates new devices.*If the profile checks pre-provisioned/);
});
