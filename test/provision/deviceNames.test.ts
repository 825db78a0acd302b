import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { silentLog } from '../../src/log/log.ts';
import type { SimulatorEvent } from '../../src/simulator/events.ts';
import type { Simulator, SimulatorOptions } from '../../src/simulator/simulator.ts';
import { readCredentials } from '../../src/state/credentials.ts';
import { runDevice, type Scene, scene } from '../support/agentRun.ts';
import { OLD_CONFIG } from '../support/deviceFiles.ts';
import { provisionedProblems } from '../support/provisionedDevice.ts';

const CHECK = 'CHECK_PRE_PROVISIONED_DEVICES';

/** A server where other devices have the names of the first requests. */
async function collidingScene(
  collisions: number,
  options: SimulatorOptions = {},
): Promise<Scene & { asked: string[] }> {
  const asked: string[] = [];
  let server: Simulator | undefined;
  const onEvent = (event: SimulatorEvent): void => {
    if (event.type !== 'request' || event.deviceName === undefined) return;
    asked.push(event.deviceName);
    if (new Set(asked).size <= collisions && server?.registry.find(event.deviceName) === undefined) {
      server?.registry.addDevice({ name: event.deviceName });
    }
  };
  const made = await scene({ ...options, onEvent });
  server = made.simulator;
  return { ...made, asked };
}

test.each([1, 2])('%d random names are taken: the next one is generated', async (collisions) => {
  const { simulator, paths, asked } = await collidingScene(collisions);
  const run = await runDevice(paths);
  expect(run).toMatchObject({ outcome: 'provisioned', exitStatus: 0 });
  expect(new Set(asked).size).toBe(collisions + 1);
  expect(run.deviceName).toBe(asked.at(-1));
  expect(await provisionedProblems(paths, simulator, collisions + 1)).toEqual([]);
});

test('before another name, the refused one is probed four times, 1, 2 and 4 s apart', async () => {
  const { paths } = await collidingScene(1);
  const run = await runDevice(paths);
  const drawn = run.records.findLastIndex(({ event }) => event === 'candidate.drawn');
  const probes = run.records.slice(0, drawn).filter(({ event }) => event === 'reconcile.refused');
  expect(probes).toHaveLength(4);
  expect(run.pauses).toEqual([1000, 2000, 4000]);
});

test('after a request of unknown outcome no other name is generated for 25 s', async () => {
  let unknownAt = Number.NaN;
  let drawnAt = Number.NaN;
  const { simulator, paths } = await collidingScene(1, { faults: [{ on: 'request', nth: 1, action: 'close' }] });
  const run = await runDevice(paths, {
    sink: ({ event, time }) => {
      if (event === 'request.unknown') unknownAt = Date.parse(time);
      if (event === 'candidate.drawn') drawnAt = Date.parse(time);
    },
  });
  expect(run.outcome).toBe('provisioned');
  expect(drawnAt - unknownAt).toBeGreaterThanOrEqual(25_000);
  expect(await provisionedProblems(paths, simulator, 2)).toEqual([]);
});

test('a run that fails before its second name is sent keeps the first one, whose request was sent', async () => {
  const faults = [{ on: 'deviceConnect', nth: 5, andLater: true, action: 'close' } as const];
  const { paths, asked } = await collidingScene(1, { faults });
  expect(await runDevice(paths)).toMatchObject({ outcome: 'failed', failure: { code: 'CONNECTION_LOST' } });
  expect(asked).toHaveLength(1);
  const kept = await readCredentials(paths.credentials, silentLog, 0);
  expect(kept?.candidates.map(({ name }) => name)).toEqual([asked[0], expect.any(String)]);
});

test('three names are tried, not four', async () => {
  const { simulator, paths, asked } = await collidingScene(9);
  const run = await runDevice(paths);
  expect(run).toMatchObject({ outcome: 'failed', exitStatus: 78, failure: { code: 'PROVISIONING_REFUSED' } });
  expect(asked).toHaveLength(3);
  expect(simulator.registry.size).toBe(3);
});

test('a fixed name that is taken is never replaced, and nothing changes until the other device is deleted', async () => {
  const devices = [{ name: 'hall-7', credentials: { type: 'ACCESS_TOKEN', token: 'token-of-somebody-else' } }] as const;
  const { simulator, paths } = await scene({ devices }, { device: { name: 'hall-7' } });
  const run = await runDevice(paths);
  expect(run).toMatchObject({ outcome: 'failed', exitStatus: 78, failure: { code: 'DEVICE_NAME_TAKEN' } });
  expect(run.failure?.message).toContain('hall-7');
  expect(run.failure?.hint).toMatch(/delete the device hall-7 .*another device\.name.*provisionState/);
  expect(simulator.registry.counts.provisionRequests).toBe(1);
  expect(simulator.registry.devices()).toMatchObject([{ name: 'hall-7', token: 'token-of-somebody-else' }]);
  expect(await readFile(paths.thermalConfig, 'utf8')).toBe(OLD_CONFIG);

  simulator.registry.deleteDevice('hall-7');
  expect((await runDevice(paths)).outcome).toBe('provisioned');
  expect(await provisionedProblems(paths, simulator)).toEqual([]);
});

test('a pre-provisioned device gets its stored token', async () => {
  const devices = [{ name: 'hall-7', credentials: { type: 'ACCESS_TOKEN', token: 'token-of-the-operator' } }] as const;
  const { simulator, paths } = await scene({ strategy: CHECK, devices }, { device: { name: 'hall-7' } });
  const run = await runDevice(paths);
  expect(run).toMatchObject({ outcome: 'provisioned', deviceName: 'hall-7' });
  expect(run.of('request.granted')).toMatchObject([{ details: { tokenFrom: 'server' } }]);
  expect(simulator.registry.devices()).toMatchObject([{ token: 'token-of-the-operator', provisioned: true }]);
  expect(await provisionedProblems(paths, simulator)).toEqual([]);
});

test('a pre-provisioned device whose answer was lost is requested again if the server allows it', async () => {
  const { simulator, paths } = await scene(
    {
      strategy: CHECK,
      reprovision: true,
      devices: [{ name: 'hall-7' }],
      faults: [{ on: 'request', nth: 1, action: 'dropAnswerAndClose' }],
    },
    { device: { name: 'hall-7' } },
  );
  expect((await runDevice(paths)).outcome).toBe('provisioned');
  expect(simulator.registry.counts.provisionRequests).toBe(2);
  expect(await provisionedProblems(paths, simulator)).toEqual([]);
});

test('if it does not, the failure names the device and the attribute to delete; then the next start succeeds', async () => {
  const devices = [{ name: 'hall-7', provisioned: true }];
  const { simulator, paths } = await scene({ strategy: CHECK, devices }, { device: { name: 'hall-7' } });
  const run = await runDevice(paths);
  expect(run).toMatchObject({ outcome: 'failed', exitStatus: 78, failure: { code: 'DEVICE_NAME_TAKEN' } });
  expect(run.failure?.message).toContain('hall-7');
  expect(run.failure?.hint).toContain('provisionState');
  expect(run.failure?.hint).toContain('hall-7');

  simulator.registry.deleteProvisionState('hall-7');
  expect((await runDevice(paths)).outcome).toBe('provisioned');
  expect(await provisionedProblems(paths, simulator)).toEqual([]);
});

test('the first name is taken, and the server is gone before the second is sent: both names are kept', async () => {
  const { simulator, paths } = await collidingScene(1);
  const run = await runDevice(paths, {
    onState: (state, { nameIndex }) => {
      if (state === 'prepare' && nameIndex === 2) void simulator.close();
    },
  });
  expect(run.outcome).toBe('failed');
  const { candidates } = JSON.parse(await readFile(paths.credentials, 'utf8'));
  expect(candidates).toHaveLength(2);
});
