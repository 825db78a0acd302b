/** Credentials over REST: what ThingsBoard shows of each type, and how an administrator changes them. */

import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { until } from '../support/until.ts';
import { openDevice } from './mqttClients.ts';
import { administered, idOf } from './restClient.ts';

/** With a text in brackets, the id is its SHA3-256. */
test.each([
  ['ACCESS_TOKEN', { credentialsId: 'new' }, 'new', null],
  [
    'MQTT_BASIC (c|u)',
    { credentialsValue: '{"clientId":"c","userName":"u","password":"p"}' },
    createHash('sha3-256').update('c|u').digest('hex'),
    '{"clientId":"c","userName":"u","password":"p"}',
  ],
  ['MQTT_BASIC', { credentialsValue: '{"userName":"u"}' }, 'u', '{"clientId":null,"userName":"u","password":null}'],
  [
    'MQTT_BASIC (c)',
    { credentialsValue: '{"clientId":"c","userName":null}' },
    createHash('sha3-256').update('c').digest('hex'),
    '{"clientId":"c","userName":null,"password":null}',
  ],
  [
    'X509_CERTIFICATE (MIIBAA==)',
    { credentialsValue: '-----BEGIN CERTIFICATE-----\nMIIB\r\nAA==\n-----END CERTIFICATE-----\n' },
    createHash('sha3-256').update('MIIBAA==').digest('hex'),
    'MIIBAA==',
  ],
  [
    'LWM2M_CREDENTIALS',
    { credentialsValue: '{"client":{"securityConfigClientMode":"NO_SEC","endpoint":"e"},"bootstrap":{}}' },
    'e',
    '{"client":{"securityConfigClientMode":"NO_SEC","endpoint":"e"}}',
  ],
])('an administrator gives a device credentials: %s', async (type, given, credentialsId, credentialsValue) => {
  const { simulator, call } = await administered();
  const device = await idOf(call('POST', '/api/device?accessToken=first', { name: 'cam' }));
  const session = await openDevice(simulator, 'first');
  const { body: before } = await call('GET', `/api/device/${device}/credentials`);
  const [credentialsType] = type.split(' ');
  const change = { ...z.record(z.string(), z.unknown()).parse(before), ...given, credentialsType };
  const changed = { credentialsType, credentialsId, credentialsValue, deviceId: { id: device } };
  expect(await call('POST', '/api/device/credentials', change)).toMatchObject({ status: 200, body: changed });
  expect((await call('GET', `/api/device/${device}/credentials`)).body).toMatchObject(changed);
  await until(() => session.received.includes('close'));
});

test.each([
  ['of nobody', 404, { deviceId: { id: '00000000-0000-4000-8000-00000000000f' }, credentialsId: 'x' }],
  ['of another device', 400, { credentialsId: 'taken' }],
  ['without a token', 400, { credentialsId: null }],
  ['of an unknown type', 400, { credentialsType: 'PASSWORD' }],
  ['without a certificate', 400, { credentialsType: 'X509_CERTIFICATE' }],
  ['that are not JSON', 400, { credentialsType: 'MQTT_BASIC', credentialsValue: '{' }],
  ['without client id and user name', 400, { credentialsType: 'MQTT_BASIC', credentialsValue: '{"password":"p"}' }],
  ['without an endpoint', 400, { credentialsType: 'LWM2M_CREDENTIALS', credentialsValue: '{"client":{}}' }],
])('credentials %s are refused, and the device keeps its own', async (_what, status, wrong) => {
  const { simulator, call } = await administered();
  await call('POST', '/api/device?accessToken=taken', { name: 'other' });
  const id = await idOf(call('POST', '/api/device?accessToken=mine', { name: 'cam' }));
  const change = { deviceId: { id }, credentialsType: 'ACCESS_TOKEN', ...wrong };
  expect(await call('POST', '/api/device/credentials', change)).toMatchObject({ status, body: { status } });
  expect(simulator.registry.findById(id)?.credentials).toEqual({ type: 'ACCESS_TOKEN', token: 'mine' });
});

test('credentials of another device are refused in the words of the server', async () => {
  const { call } = await administered();
  await call('POST', '/api/device?accessToken=taken', { name: 'other' });
  const id = await idOf(call('POST', '/api/device', { name: 'cam' }));
  const change = { deviceId: { id }, credentialsType: 'MQTT_BASIC', credentialsValue: '{"userName":"taken"}' };
  expect(await call('POST', '/api/device/credentials', change)).toMatchObject({
    body: { message: 'Device credentials are already assigned to another device!' },
  });
});
