/** The REST stand-in: the calls and shapes of docs/thingsboard.md, section 7. */

import { expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { Registry } from '../../src/simulator/registry.ts';
import { REST_SYSTEM_USER, REST_USER, startRest } from '../../src/simulator/rest.ts';
import { until } from '../support/until.ts';
import { openDevice, provision } from './mqttClients.ts';
import { type Answer, administered, caller, idOf, loggedIn } from './restClient.ts';

const profile = (name: string, provisionType = 'ALLOW_CREATE_NEW_DEVICES') => ({
  name,
  type: 'DEFAULT',
  transportType: 'DEFAULT',
  provisionType,
  provisionDeviceKey: `key-${name}`,
  profileData: {
    configuration: { type: 'DEFAULT' },
    transportConfiguration: { type: 'DEFAULT' },
    provisionConfiguration: { type: provisionType, provisionDeviceSecret: `secret-${name}` },
  },
});

const request = (name: string, deviceName: string) => ({
  provisionDeviceKey: `key-${name}`,
  provisionDeviceSecret: `secret-${name}`,
  deviceName,
});

test('a gateway that was provisioned has it in its additionalInfo, other devices have none', async () => {
  const { simulator, call } = await administered();
  await call('POST', '/api/deviceProfile', profile('p'));
  await provision(simulator, { ...request('p', 'gate'), gateway: true });
  await provision(simulator, request('p', 'cam'));
  const infoOf = async (name: string): Promise<unknown> =>
    (await call('GET', `/api/tenant/devices?deviceName=${name}`)).body;
  expect(await infoOf('gate')).toMatchObject({ additionalInfo: { gateway: true } });
  expect(await infoOf('cam')).toMatchObject({ additionalInfo: null });
});

test('a call without a valid token is refused, and so is a wrong password', async () => {
  const rest = await startRest(new Registry(), { tokenLifeMs: 0 });
  onTestFinished(() => rest.close());
  const call = caller(rest.url);
  const wrong = await call('POST', '/api/auth/login', { ...REST_USER, password: 'x' });
  expect(wrong).toMatchObject({ status: 401, body: { status: 401, errorCode: 10 } });
  expect(await call('GET', '/api/tenant/devices?deviceName=a')).toMatchObject({ status: 401 });
  const expired = await (await loggedIn(rest.url))('GET', '/api/tenant/devices?deviceName=a');
  expect(expired).toMatchObject({ status: 401, body: { errorCode: 11 } });
});

test('a call without a token is refused before its body is read, and so is a login that can not be read', async () => {
  const rest = await startRest(new Registry());
  onTestFinished(() => rest.close());
  const call = caller(rest.url);
  const refused = { status: 401, body: { message: 'Authentication failed' } };
  expect(await call('POST', '/api/deviceProfile', '{')).toMatchObject(refused);
  expect(await call('POST', '/api/auth/login', '{')).toMatchObject(refused);
  expect(await call('POST', '/api/auth/login', { username: 'tenant' })).toMatchObject(refused);
});

test('the token may stand in the header Authorization, too', async () => {
  const rest = await startRest(new Registry());
  onTestFinished(() => rest.close());
  const { body } = await caller(rest.url)('POST', '/api/auth/login', REST_USER);
  const { token } = z.object({ token: z.string() }).parse(body);
  const url = `${rest.url}/api/tenant/deviceInfos?pageSize=1&page=0`;
  expect((await fetch(url, { headers: { Authorization: `Bearer ${token}` } })).status).toBe(200);
});

test('the system administrator may log in, but not do what a tenant administrator does', async () => {
  const rest = await startRest(new Registry());
  onTestFinished(() => rest.close());
  const call = await loggedIn(rest.url, REST_SYSTEM_USER);
  const refused = await call('GET', '/api/deviceProfileInfos?pageSize=5&page=0');
  expect(refused).toMatchObject({ status: 403, body: { status: 403, errorCode: 20 } });
});

test('a list of profiles has no keys; the profile itself has them', async () => {
  const { call } = await administered();
  const id = await idOf(call('POST', '/api/deviceProfile', profile('one')));
  const found = await call('GET', '/api/deviceProfileInfos?pageSize=5&page=0&textSearch=ONE');
  expect(found.body).toMatchObject({ data: [{ id: { id }, name: 'one', transportType: 'DEFAULT' }] });
  expect(JSON.stringify(found.body)).not.toMatch(/provision|key-one|secret-one/);
  expect((await call('GET', `/api/deviceProfile/${id}`)).body).toMatchObject({ ...profile('one'), default: false });
  const unknown = '00000000-0000-4000-8000-00000000000f';
  expect(await call('GET', `/api/deviceProfile/${unknown}`)).toMatchObject({ status: 404 });
});

test('the default profile is not deleted, and has the devices that name no profile', async () => {
  const { simulator, call } = await administered();
  await idOf(call('POST', '/api/device?accessToken=', { name: 'cam' }));
  const [{ id, name } = { id: '', name: '' }] = simulator.registry.profiles.all();
  expect(simulator.registry.find('cam')?.profile).toBe(id);
  expect(simulator.registry.devices()[0]?.token).toHaveLength(20);
  simulator.registry.deleteDevice('cam');
  expect(name).toBe('default');
  expect(await call('DELETE', `/api/deviceProfile/${id}`)).toMatchObject({ status: 400 });
});

test('each profile has its own key, strategy and devices', async () => {
  const { simulator, call } = await administered();
  const open = await idOf(call('POST', '/api/deviceProfile', profile('open')));
  await call('POST', '/api/deviceProfile', profile('closed', 'DISABLED'));
  expect(await provision(simulator, request('open', 'cam'))).toMatchObject({ status: 'SUCCESS' });
  expect(await provision(simulator, request('closed', 'cam-2'))).toMatchObject({ status: 'NOT_FOUND' });
  const mixed = { ...request('open', 'cam-3'), provisionDeviceSecret: 'secret-closed' };
  expect(await provision(simulator, mixed)).toMatchObject({ status: 'NOT_FOUND' });
  const devices = await call('GET', `/api/tenant/deviceInfos?pageSize=10&page=0&deviceProfileId=${open}`);
  expect(devices.body).toMatchObject({
    data: [{ name: 'cam', deviceProfileName: 'open', deviceProfileId: { entityType: 'DEVICE_PROFILE', id: open } }],
    totalElements: 1,
    totalPages: 1,
    hasNext: false,
  });
});

test('names and keys of profiles are unique', async () => {
  const { call } = await administered();
  await call('POST', '/api/deviceProfile', profile('one'));
  const sameName = { ...profile('one'), provisionDeviceKey: 'another key' };
  expect(await call('POST', '/api/deviceProfile', sameName)).toMatchObject({ status: 400 });
  const sameKey = { ...profile('two'), provisionDeviceKey: 'key-one' };
  expect(await call('POST', '/api/deviceProfile', sameKey)).toMatchObject({ status: 400 });
});

test('a profile with devices is not deleted; an empty one is', async () => {
  const { call } = await administered();
  const id = await idOf(call('POST', '/api/deviceProfile', profile('full')));
  const device = await idOf(call('POST', '/api/device', { name: 'cam', deviceProfileId: { id } }));
  expect(await call('DELETE', `/api/deviceProfile/${id}`)).toMatchObject({ status: 400 });
  expect(await call('DELETE', `/api/device/${device}`)).toEqual({ status: 200, body: undefined });
  expect(await call('DELETE', `/api/deviceProfile/${id}`)).toEqual({ status: 200, body: undefined });
  const found = await call('GET', '/api/deviceProfileInfos?pageSize=5&page=0&textSearch=full');
  expect(found.body).toMatchObject({ data: [], totalElements: 0 });
});

test('a device created with a token has these credentials and is found by its name', async () => {
  const { call } = await administered();
  const id = await idOf(call('POST', '/api/deviceProfile', profile('p')));
  const created = call('POST', '/api/device?accessToken=stored', { name: 'cam', deviceProfileId: { id } });
  const device = await idOf(created);
  expect((await call('GET', '/api/tenant/devices?deviceName=cam')).body).toMatchObject({ id: { id: device } });
  expect(await call('GET', '/api/tenant/devices?deviceName=nobody')).toMatchObject({ status: 404 });
  const credentials = await call('GET', `/api/device/${device}/credentials`);
  expect(credentials.body).toMatchObject({ credentialsType: 'ACCESS_TOKEN', credentialsId: 'stored' });
});

test('a pre-provisioned device is provisioned again after its provisionState is deleted', async () => {
  const { simulator, call } = await administered();
  const id = await idOf(call('POST', '/api/deviceProfile', profile('pre', 'CHECK_PRE_PROVISIONED_DEVICES')));
  const device = await idOf(call('POST', '/api/device', { name: 'cam', deviceProfileId: { id } }));
  const attributes = (): Promise<Answer> =>
    call('GET', `/api/plugins/telemetry/DEVICE/${device}/values/attributes/SERVER_SCOPE`);
  const keys = async () => z.array(z.object({ key: z.string() })).parse((await attributes()).body);
  expect(await keys()).toEqual([{ key: 'active' }]);
  expect(await provision(simulator, request('pre', 'cam'))).toMatchObject({ status: 'SUCCESS' });
  expect((await attributes()).body).toMatchObject([{ key: 'active' }, { key: 'provisionState', value: 'provisioned' }]);
  const state = `/api/plugins/telemetry/DEVICE/${device}/SERVER_SCOPE`;
  expect(await call('DELETE', `${state}?keys=`)).toMatchObject({ status: 400 });
  await call('DELETE', `${state}?keys=active`);
  expect(await provision(simulator, request('pre', 'cam'))).toMatchObject({ status: 'FAILURE' });
  await call('DELETE', `/api/plugins/telemetry/DEVICE/${device}/SERVER_SCOPE?keys=provisionState`);
  expect(await provision(simulator, request('pre', 'cam'))).toMatchObject({ status: 'SUCCESS' });
});

test('telemetry and client attributes of a device are read back; a deleted device loses its session', async () => {
  const { simulator, call } = await administered();
  await provision(simulator, {
    ...request('none', 'cam'),
    provisionDeviceKey: 'simulator-device-key',
    provisionDeviceSecret: 'simulator-device-secret',
    token: 'abc',
  });
  const device = await idOf(call('GET', '/api/tenant/devices?deviceName=cam'));
  const session = await openDevice(simulator, 'abc');
  const messages = [{ spot: 1.5 }, { ts: 1000, values: { spot: 2 } }, [{ ts: 2000, values: { other: 'x' } }]];
  for (const message of messages) {
    session.client.publish('v1/devices/me/telemetry', JSON.stringify(message), { qos: 1 });
  }
  session.client.publish('v1/devices/me/attributes', '{"firmware":"1.0"}', { qos: 1 });
  await until(() => session.received.filter((packet) => packet === 'puback').length === 4);
  const telemetry = await call('GET', `/api/plugins/telemetry/DEVICE/${device}/values/timeseries`);
  expect(telemetry.body).toEqual({ spot: [{ ts: 1000, value: '2' }], other: [{ ts: 2000, value: 'x' }] });
  const attributes = await call('GET', `/api/plugins/telemetry/DEVICE/${device}/values/attributes/CLIENT_SCOPE`);
  expect(attributes.body).toEqual([{ key: 'firmware', value: '1.0', lastUpdateTs: expect.any(Number) }]);
  await call('DELETE', `/api/device/${device}`);
  await until(() => session.received.includes('close'));
});

test('a device is active once it has connected, and shared attributes are read back', async () => {
  const { simulator, call } = await administered();
  simulator.registry.addDevice({ name: 'cam', credentials: { type: 'ACCESS_TOKEN', token: 'abc' } });
  simulator.registry.storeSharedAttributes('cam', { interval: 5 });
  const device = await idOf(call('GET', '/api/tenant/devices?deviceName=cam'));
  const attributes = (scope: string): Promise<Answer> =>
    call('GET', `/api/plugins/telemetry/DEVICE/${device}/values/attributes/${scope}_SCOPE`);
  const infos = async () => (await call('GET', '/api/tenant/deviceInfos?pageSize=5&page=0')).body;
  expect(await infos()).toMatchObject({ data: [{ active: false }] });
  await openDevice(simulator, 'abc');
  expect(await infos()).toMatchObject({ data: [{ active: true }] });
  const connected = { key: 'lastConnectTime', value: expect.any(Number) };
  expect((await attributes('SERVER')).body).toMatchObject([{ key: 'active', value: true }, connected]);
  expect((await attributes('SHARED')).body).toMatchObject([{ key: 'interval', value: 5 }]);
});

test('names and tokens of devices are unique', async () => {
  const { call } = await administered();
  await idOf(call('POST', '/api/device?accessToken=abc', { name: 'cam' }));
  const taken = { status: 400, body: { message: 'Device with such name already exists!' } };
  expect(await call('POST', '/api/device', { name: 'cam' })).toMatchObject(taken);
  const token = { status: 400, body: { message: 'Device credentials are already assigned to another device!' } };
  expect(await call('POST', '/api/device?accessToken=abc', { name: 'cam-2' })).toMatchObject(token);
});

test('devices come in pages', async () => {
  const { simulator, call } = await administered();
  for (const name of ['a', 'b', 'c']) simulator.registry.addDevice({ name });
  const second = await call('GET', '/api/tenant/deviceInfos?pageSize=2&page=1');
  expect(second.body).toMatchObject({ data: [{ name: 'c' }], totalElements: 3, totalPages: 2, hasNext: false });
  const first = await call('GET', '/api/tenant/deviceInfos?pageSize=2&page=0');
  expect(first.body).toMatchObject({ data: [{ name: 'a' }, { name: 'b' }], hasNext: true });
  expect(await call('GET', '/api/tenant/deviceInfos?page=0')).toMatchObject({ status: 400 });
});

test.each([
  ['a body that is too long', '/api/deviceProfile', 'x'.repeat(100_000), 413],
  ['a body that is not JSON', '/api/deviceProfile', '{', 400],
  ['a profile without a key', '/api/deviceProfile', { ...profile('p'), provisionDeviceKey: '' }, 400],
  ['a device of an unknown profile', '/api/device', { name: 'cam', deviceProfileId: { id: 'none' } }, 400],
  ['an unknown call', '/api/unknown', {}, 404],
])('%s is refused', async (_what, path, body, status) => {
  const { call } = await administered();
  expect(await call('POST', path, body)).toMatchObject({ status, body: { status, message: expect.any(String) } });
});
