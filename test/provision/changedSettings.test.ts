import { writeFileSync } from 'node:fs';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import type { SimulatorEvent } from '../../src/simulator/events.ts';
import { cutIn, runDevice, scene, serverOfTest } from '../support/agentRun.ts';
import { quickProvisionJson } from '../support/deviceFolder.ts';
import { provisionedProblems } from '../support/provisionedDevice.ts';

test('another server, before anything was sent: the run continues there without a warning', async () => {
  const { simulator, paths } = await scene();
  const other = await serverOfTest();
  const { runId } = await cutIn(paths, 'prepare');
  await writeFile(paths.provisionJson, quickProvisionJson({ port: other.port }));
  const run = await runDevice(paths);
  expect(run).toMatchObject({ outcome: 'provisioned', runId });
  expect(simulator.registry.counts.connects).toBe(0);
  expect(run.records.filter(({ level }) => level === 'warn')).toEqual([]);
  expect(await provisionedProblems(paths, other)).toEqual([]);
});

test.each(['request', 'verifyCredentials'] as const)(
  'another server, killed in %s: a new run there, and the device that may exist is named',
  async (state) => {
    const { simulator, paths } = await scene();
    const other = await serverOfTest();
    const { runId, deviceName } = await cutIn(paths, state);
    const { connects } = simulator.registry.counts;
    await writeFile(paths.provisionJson, quickProvisionJson({ port: other.port }));
    const run = await runDevice(paths);
    expect(run.outcome).toBe('provisioned');
    expect(run.runId).not.toBe(runId);
    expect(run.deviceName).not.toBe(deviceName);
    const warning = run.of('credentials.superseded').map(({ message }) => message);
    expect(warning.join()).toContain(`an unused device ${deviceName} may exist on 127.0.0.1:${simulator.port}`);
    expect(simulator.registry.counts.connects).toBe(connects);
    expect(other.registry.find(String(deviceName))).toBeUndefined();
    expect((await readdir(paths.stateFolder)).join(' ')).toMatch(/credentials\.json\.superseded-/);
    expect(await provisionedProblems(paths, other)).toEqual([]);
  },
);

test("provision.json can't be read at the next start: that is no change of the settings, and the run says so", async () => {
  const { simulator, paths } = await scene();
  const { runId, deviceName } = await cutIn(paths, 'verifyCredentials');
  const settings = await readFile(paths.provisionJson);
  await rm(paths.provisionJson);
  const run = await runDevice(paths);
  expect(run).toMatchObject({ outcome: 'failed', runId, failure: { code: 'PROVISION_JSON_MISSING' } });
  expect(run.of('run.superseded')).toEqual([]);

  await writeFile(paths.provisionJson, settings);
  expect(await runDevice(paths)).toMatchObject({ outcome: 'provisioned', deviceName });
  expect(await provisionedProblems(paths, simulator)).toEqual([]);
});

test('a token never goes to a second server', async () => {
  const { simulator, paths } = await scene();
  const other = await serverOfTest();
  await cutIn(paths, 'verifyCredentials');
  await writeFile(paths.provisionJson, quickProvisionJson({ port: other.port }));
  await runDevice(paths);
  const tokens = [simulator, other].flatMap(({ registry }) => registry.devices().map(({ token }) => token));
  expect(new Set(tokens).size).toBe(2);
});

test('a corrected secret is not another server: the same run resumes with it', async () => {
  const { simulator, paths } = await scene({ deviceSecret: 'the-right-secret' });
  const { runId, deviceName } = await cutIn(paths, 'request');
  const provisioning = { device_secret: 'the-right-secret' };
  await writeFile(paths.provisionJson, quickProvisionJson({ port: simulator.port, provisioning }));
  expect(await runDevice(paths)).toMatchObject({ outcome: 'provisioned', runId, deviceName });
  expect(await provisionedProblems(paths, simulator)).toEqual([]);
});

test('provision.json changes between validate and the request: validated again, one device', async () => {
  const { simulator, paths } = await scene();
  const device = { name: 'hall-7' };
  const run = await runDevice(paths, {
    onState: (state) => {
      if (state === 'request') writeFileSync(paths.provisionJson, quickProvisionJson({ port: simulator.port, device }));
    },
  });
  expect(run).toMatchObject({ outcome: 'provisioned', deviceName: 'hall-7' });
  expect(run.states.filter((state) => state === 'validate')).toHaveLength(2);
  expect(await provisionedProblems(paths, simulator)).toEqual([]);
});

test('provision.json changes after the request: a new run; three times: the run fails', async () => {
  const { simulator, paths } = await scene();
  let changes = 0;
  const run = await runDevice(paths, {
    onState: (state) => {
      if (state !== 'verifyCredentials') return;
      changes += 1;
      const device = { device_name_prefix: `hall-${changes}` };
      writeFileSync(paths.provisionJson, quickProvisionJson({ port: simulator.port, device }));
    },
  });
  expect(changes).toBe(3);
  expect(run).toMatchObject({ outcome: 'failed', exitStatus: 75, failure: { code: 'SETTINGS_CHANGED' } });
  expect(run.failure?.message).toBe('provision.json changed 3 times during the run');
  expect(run.of('run.superseded')).toHaveLength(3);
  const calm = await runDevice(paths);
  expect(calm).toMatchObject({ outcome: 'provisioned', deviceName: expect.stringMatching(/^hall-3-/) });
});

test("provision.json can't be read at the resume: the reason is reported, and the run is not lost", async () => {
  const { simulator, paths } = await scene();
  const { deviceName } = await cutIn(paths, 'verifyCredentials');
  await writeFile(paths.provisionJson, '{');
  expect(await runDevice(paths)).toMatchObject({ exitStatus: 65, failure: { code: 'PROVISION_JSON_INVALID' } });
  await writeFile(paths.provisionJson, quickProvisionJson({ port: simulator.port }));
  expect(await runDevice(paths)).toMatchObject({ outcome: 'provisioned', deviceName });
  expect(await provisionedProblems(paths, simulator)).toEqual([]);
});

test('provision.json changes during a probe: superseded, settings are not mixed', async () => {
  const { simulator, paths } = await scene({ faults: [{ on: 'request', nth: 1, action: 'dropAnswerAndClose' }] });
  const events: SimulatorEvent[] = [];
  const other = await serverOfTest({ onEvent: (event) => events.push(event) });
  const run = await runDevice(paths, {
    onState: (state) => {
      if (state === 'reconcile') writeFileSync(paths.provisionJson, quickProvisionJson({ port: other.port }));
    },
  });
  expect(run.outcome).toBe('provisioned');
  expect(events.find(({ type }) => type === 'connect')).toMatchObject({ kind: 'provision' });
  expect(simulator.registry.size).toBe(1);
  expect(await provisionedProblems(paths, other)).toEqual([]);
});
