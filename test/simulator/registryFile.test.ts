import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { SimulatorEvent } from '../../src/simulator/events.ts';
import { MAX_TELEMETRY, Registry } from '../../src/simulator/registry.ts';
import { loadRegistry, RegistryFile } from '../../src/simulator/registryFile.ts';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import { until } from '../support/until.ts';
import { KEYS, openDevice, openProvision, provision, REQUEST, type RecordedClient, simulate } from './mqttClients.ts';

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'registry-'));
  path = join(folder, 'registry.json');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const stored = async (): Promise<{ devices: { name: string }[]; counts: Record<string, number> }> =>
  JSON.parse(await readFile(path, 'utf8'));

describe('a restart', () => {
  test('devices, their credentials, provisionState and counts survive', async () => {
    const first = await startSimulator({ registryFile: path });
    await provision(first, { ...KEYS, deviceName: 'cam', token: 'abc', gateway: true });
    const basic = { credentialsType: 'MQTT_BASIC', clientId: 'c', username: 'u', password: 'p' };
    await provision(first, { ...KEYS, deviceName: 'cam-2', ...basic });
    await provision(first, { ...KEYS, deviceName: 'cam-3', credentialsType: 'X509_CERTIFICATE', hash: 'MIIB' });
    first.registry.addDevice({ name: 'cam-4', credentials: { type: 'LWM2M_CREDENTIALS', endpoint: 'e' } });
    await first.close();
    const second = await simulate({ registryFile: path });
    expect(second.registry.devices()).toEqual(first.registry.devices());
    expect(second.registry.devices().map(({ credentialsType }) => credentialsType)).toEqual([
      ...['ACCESS_TOKEN', 'MQTT_BASIC', 'X509_CERTIFICATE', 'LWM2M_CREDENTIALS'],
    ]);
    expect(second.registry.counts).toEqual(first.registry.counts);
    expect((await openDevice(second, 'abc')).received).toEqual(['connack:0']);
    expect(await provision(second, { ...KEYS, deviceName: 'cam' })).toMatchObject({ status: 'FAILURE' });
  });

  test('the device is in the file before the answer leaves', async () => {
    const events: SimulatorEvent[] = [];
    const simulator = await simulate({ registryFile: path, latencyMs: 200, onEvent: (event) => events.push(event) });
    const recorded = await requestOn(simulator);
    await until(() => events.some(({ type }) => type === 'commit'));
    expect((await stored()).devices).toMatchObject([{ name: 'cam' }]);
    expect(recorded.received).toEqual(['connack:0']);
  });

  test('a device created beforehand that is already in the file is not changed', async () => {
    const devices = [{ name: 'cam', credentials: { type: 'ACCESS_TOKEN', token: 'first' } }] as const;
    const first = await startSimulator({ registryFile: path, devices });
    first.registry.setToken('cam', 'changed');
    await first.close();
    const second = await simulate({ registryFile: path, devices });
    expect(second.registry.devices()).toMatchObject([{ name: 'cam', token: 'changed' }]);
  });
});

test('a file of version 1 is read, and devices outside of its profile stay outside', async () => {
  const credentials = { type: 'ACCESS_TOKEN', token: 'stored' };
  const devices = [
    { name: 'cam', credentials, provisioned: false, inProfile: true },
    { name: 'foreign', credentials: { ...credentials, token: 'other' }, provisioned: false, inProfile: false },
  ];
  await writeFile(path, JSON.stringify({ version: 1, counts: { connects: 7 }, devices }));
  const simulator = await simulate({ registryFile: path, strategy: 'CHECK_PRE_PROVISIONED_DEVICES' });
  expect(simulator.registry.counts.connects).toBe(7);
  const found = await provision(simulator, { ...KEYS, deviceName: 'cam' });
  expect(found).toMatchObject({ status: 'SUCCESS', credentialsValue: 'stored' });
  expect(await provision(simulator, { ...KEYS, deviceName: 'foreign' })).toMatchObject({ status: 'FAILURE' });
});

test('device profiles survive a restart, and their devices stay in them', async () => {
  const profile = { id: 'p', name: 'cameras', deviceKey: 'k2', deviceSecret: 's2' } as const;
  const first = await startSimulator({ registryFile: path });
  first.registry.profiles.add({ ...profile, strategy: 'CHECK_PRE_PROVISIONED_DEVICES' });
  first.registry.addDevice({ name: 'cam', profile: 'p' });
  await first.close();
  const second = await simulate({ registryFile: path });
  const request = { provisionDeviceKey: 'k2', provisionDeviceSecret: 's2', deviceName: 'cam' };
  expect(await provision(second, request)).toMatchObject({ status: 'SUCCESS' });
  expect(await provision(second, { ...request, ...KEYS })).toMatchObject({ status: 'FAILURE' });
});

async function requestOn(simulator: Simulator): Promise<RecordedClient> {
  const recorded = await openProvision(simulator);
  recorded.client.publish(REQUEST, JSON.stringify({ ...KEYS, deviceName: 'cam' }), { qos: 1 });
  return recorded;
}

test('only the owner can read the file', async () => {
  const simulator = await startSimulator({ registryFile: path, devices: [{ name: 'cam' }] });
  await simulator.close();
  expect((await stat(path)).mode & 0o777).toBe(0o600);
});

test('many changes at once cause few writes, and none is lost', async () => {
  const registry: Registry = new Registry(() => file.touch());
  const file = new RegistryFile(path, registry, () => {});
  const flushes: Promise<void>[] = [];
  for (let i = 0; i < 500; i += 1) {
    registry.addDevice({ name: `cam-${i}` });
    flushes.push(file.flush());
  }
  expect(new Set(flushes).size).toBeLessThan(5);
  await Promise.all(flushes);
  expect((await stored()).devices).toHaveLength(500);
  await file.close();
});

test('changes in the background are written soon', async () => {
  const simulator = await simulate({ registryFile: path });
  await openDevice(simulator, 'unknown');
  await expect.poll(async () => (await stored()).counts.refusedConnects).toBe(1);
});

test("a registry that can't be written: the request fails like with a broken back end", async () => {
  const simulator = await startSimulator({ registryFile: join(folder, 'gone', 'registry.json') });
  const recorded = await requestOn(simulator);
  await until(() => recorded.received.includes('close'));
  expect(recorded.received).toEqual(['connack:0', 'puback', 'close']);
  await expect(simulator.close()).rejects.toMatchObject({ code: 'DISK_ERROR' });
});

describe('an unusable file', () => {
  test.each([
    ['not JSON', '{"devices":[{"token":"geheim"'],
    ['another document', '{"version":3,"devices":[],"counts":{}}'],
    ['a device without credentials', '{"version":1,"counts":{},"devices":[{"name":"a"}]}'],
    [
      'two devices with one token',
      JSON.stringify({
        version: 1,
        counts: {},
        devices: ['a', 'b'].map((name) => ({
          name,
          provisioned: true,
          inProfile: true,
          credentials: { type: 'ACCESS_TOKEN', token: 'geheim' },
        })),
      }),
    ],
  ])('%s: USAGE, which names the file and no token', async (_what, text) => {
    await writeFile(path, text);
    const failed = await startSimulator({ registryFile: path }).catch((error: unknown) => error);
    expect(failed).toMatchObject({ code: 'USAGE', message: expect.stringContaining(path) });
    expect(String(failed)).not.toContain('geheim');
    expect(await readFile(path, 'utf8')).toBe(text);
  });

  test('a folder', async () => {
    await expect(loadRegistry(folder, new Registry())).rejects.toMatchObject({ code: 'USAGE' });
  });
});

describe('Registry', () => {
  test('keeps the latest telemetry messages up to a limit', () => {
    const registry = new Registry();
    registry.addDevice({ name: 'cam' });
    for (let i = 0; i < MAX_TELEMETRY + 10; i += 1) registry.storeTelemetry('cam', i);
    expect(registry.telemetry('cam')).toHaveLength(MAX_TELEMETRY);
    expect(registry.telemetry('cam').at(-1)).toBe(MAX_TELEMETRY + 9);
  });

  test('refuses changes that an operator could not make', () => {
    const registry = new Registry();
    registry.addDevice({ name: 'a', credentials: { type: 'ACCESS_TOKEN', token: 't' } });
    const usage = expect.objectContaining({ code: 'USAGE' });
    expect(() => registry.addDevice({ name: 'a' })).toThrow(usage);
    expect(() => registry.addDevice({ name: 'b', credentials: { type: 'ACCESS_TOKEN', token: 't' } })).toThrow(usage);
    expect(() => registry.setToken('nobody', 'x')).toThrow(usage);
    expect(() => registry.setToken('a', '')).toThrow(usage);
    expect(() => registry.setCredentials('a', { type: 'LWM2M_CREDENTIALS', endpoint: ' ' })).toThrow(usage);
    expect(() => registry.setCredentials('a', { type: 'X509_CERTIFICATE', certificate: '\n' })).toThrow(usage);
    expect(() => registry.deleteProvisionState('nobody')).toThrow(usage);
  });

  test('10,000 devices are created and found in well under a second', () => {
    const registry = new Registry();
    const startedAt = performance.now();
    for (let i = 0; i < 10_000; i += 1) {
      registry.addDevice({ name: `cam-${i}`, credentials: { type: 'ACCESS_TOKEN', token: `token-${i}` } });
    }
    expect(registry.findByCredentials('user "token-9999"')?.name).toBe('cam-9999');
    expect(performance.now() - startedAt).toBeLessThan(1000);
  });
});
