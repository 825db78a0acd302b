import { describe, expect, test } from 'vitest';
import { issueCertificate } from '../../src/simulator/certificate.ts';
import type { Simulator, SimulatorOptions } from '../../src/simulator/simulator.ts';
import { until } from '../support/until.ts';
import { connected, KEYS, openDevice, openProvision, provision, REQUEST, simulate } from './mqttClients.ts';

const FAILURE = { errorMsg: 'Failed to provision device!', status: 'FAILURE' };
const NOT_FOUND = { errorMsg: 'Provision data was not found!', status: 'NOT_FOUND' };
const CHECK = 'CHECK_PRE_PROVISIONED_DEVICES';

async function responseText(simulator: Simulator, request: object): Promise<string> {
  const recorded = await openProvision(simulator);
  recorded.client.publish(REQUEST, JSON.stringify(request), { qos: 1 });
  return (await until(() => recorded.payloads[0])).text;
}

describe('a gateway', () => {
  const registered = async (gateway: unknown, options: SimulatorOptions = {}): Promise<boolean> => {
    const simulator = await simulate(options);
    expect(await provision(simulator, { ...KEYS, deviceName: 'cam', gateway })).toMatchObject({ status: 'SUCCESS' });
    return simulator.registry.find('cam')?.gateway ?? false;
  };

  test.each([true, 'true', 'TRUE', [true]])('is registered for %j', async (value) => {
    expect(await registered(value)).toBe(true);
  });

  test.each([false, undefined, 'yes', 1, ''])('is not registered for %j', async (value) => {
    expect(await registered(value)).toBe(false);
  });

  test('is not made of a device that was created beforehand', async () => {
    expect(await registered(true, { strategy: CHECK, devices: [{ name: 'cam' }] })).toBe(false);
  });
});

describe('text of the response, byte for byte', () => {
  test('an access token of the server has 20 letters and digits', async () => {
    const simulator = await simulate();
    expect(await responseText(simulator, { ...KEYS, deviceName: 'cam' })).toMatch(
      /^\{"credentialsValue":"[A-Za-z0-9]{20}","credentialsType":"ACCESS_TOKEN","status":"SUCCESS"\}$/,
    );
  });

  test('MQTT_BASIC', async () => {
    const simulator = await simulate();
    const chosen = { credentialsType: 'MQTT_BASIC', clientId: 'c', username: 'u', password: 'p' };
    expect(await responseText(simulator, { ...KEYS, deviceName: 'cam', ...chosen })).toBe(
      '{"credentialsValue":{"clientId":"c","userName":"u","password":"p"},"credentialsType":"MQTT_BASIC","status":"SUCCESS"}',
    );
  });

  test('parts of MQTT_BASIC that were not chosen are empty', async () => {
    const simulator = await simulate();
    const chosen = { credentialsType: 'MQTT_BASIC', username: 'u' };
    expect(await responseText(simulator, { ...KEYS, deviceName: 'cam', ...chosen })).toContain(
      '{"clientId":"","userName":"u","password":""}',
    );
  });

  test('parts of MQTT_BASIC that an operator left out are null', async () => {
    const credentials = { type: 'MQTT_BASIC', userName: 'u' } as const;
    const simulator = await simulate({ strategy: CHECK, devices: [{ name: 'cam', credentials }] });
    expect(await responseText(simulator, { ...KEYS, deviceName: 'cam' })).toContain(
      '{"clientId":null,"userName":"u","password":null}',
    );
  });

  test('X509_CERTIFICATE: one line of base64 for any sent form', async () => {
    const simulator = await simulate();
    const { cert } = await issueCertificate({ names: ['cam'] });
    const base64 = cert.split('\n').slice(1, -2).join('');
    const chosen = { credentialsType: 'X509_CERTIFICATE', hash: cert };
    expect(await responseText(simulator, { ...KEYS, deviceName: 'cam', ...chosen })).toBe(
      `{"credentialsValue":"${base64}","credentialsType":"X509_CERTIFICATE","status":"SUCCESS"}`,
    );
  });

  test('stored credentials of every type', async () => {
    const { cert } = await issueCertificate({ names: ['cam'] });
    const simulator = await simulate({
      strategy: CHECK,
      devices: [
        { name: 'basic', credentials: { type: 'MQTT_BASIC', clientId: 'c', userName: 'u', password: 'p' } },
        { name: 'x509', credentials: { type: 'X509_CERTIFICATE', certificate: cert } },
        { name: 'lwm2m', credentials: { type: 'LWM2M_CREDENTIALS', endpoint: 'e' } },
      ],
    });
    expect(await responseText(simulator, { ...KEYS, deviceName: 'basic' })).toBe(
      '{"credentialsValue":{"clientId":"c","userName":"u","password":"p"},"credentialsType":"MQTT_BASIC","status":"SUCCESS"}',
    );
    expect(await responseText(simulator, { ...KEYS, deviceName: 'x509' })).toBe(
      `{"credentialsValue":"${cert.split('\n').slice(1, -2).join('')}","credentialsType":"X509_CERTIFICATE","status":"SUCCESS"}`,
    );
    // The server leaves the value out.
    expect(await responseText(simulator, { ...KEYS, deviceName: 'lwm2m' })).toBe(
      '{"credentialsType":"LWM2M_CREDENTIALS","status":"SUCCESS"}',
    );
    // Also such a device counts as provisioned from then on.
    expect(await provision(simulator, { ...KEYS, deviceName: 'lwm2m' })).toEqual(FAILURE);
  });

  test('NOT_FOUND and FAILURE', async () => {
    const simulator = await simulate();
    expect(await responseText(simulator, { ...KEYS, provisionDeviceKey: 'x', deviceName: 'cam' })).toBe(
      '{"errorMsg":"Provision data was not found!","status":"NOT_FOUND"}',
    );
    expect(await responseText(simulator, { ...KEYS, deviceName: ' ' })).toBe(
      '{"errorMsg":"Failed to provision device!","status":"FAILURE"}',
    );
  });
});

describe('key and secret', () => {
  test.each([
    ['an unknown key', { provisionDeviceKey: 'x' }],
    ['a wrong secret', { provisionDeviceSecret: 'x' }],
    ['an empty secret', { provisionDeviceSecret: '' }],
    ['a key followed by a space', { provisionDeviceKey: `${KEYS.provisionDeviceKey} ` }],
  ])('%s: NOT_FOUND', async (_what, wrong) => {
    const simulator = await simulate();
    expect(await provision(simulator, { ...KEYS, deviceName: 'cam', ...wrong })).toEqual(NOT_FOUND);
    expect(simulator.registry.counts).toMatchObject({ notFound: 1, successes: 0, failures: 0 });
  });

  test('provisioning disabled: NOT_FOUND', async () => {
    const simulator = await simulate({ strategy: 'DISABLED' });
    expect(await provision(simulator, { ...KEYS, deviceName: 'cam' })).toEqual(NOT_FOUND);
  });

  test('a name of white space is refused before the key is checked', async () => {
    const simulator = await simulate();
    expect(await provision(simulator, { ...KEYS, provisionDeviceKey: 'x', deviceName: ' \t' })).toEqual(FAILURE);
  });

  test('accepts other keys than the defaults', async () => {
    const simulator = await simulate({ deviceKey: 'k', deviceSecret: 's' });
    const keys = { provisionDeviceKey: 'k', provisionDeviceSecret: 's' };
    expect(await provision(simulator, { ...keys, deviceName: 'cam' })).toMatchObject({ status: 'SUCCESS' });
    expect(await provision(simulator, { ...KEYS, deviceName: 'cam' })).toEqual(NOT_FOUND);
  });
});

describe('ALLOW_CREATE_NEW_DEVICES', () => {
  test('the chosen token is used, and works at once', async () => {
    const simulator = await simulate();
    const chosen = { credentialsType: 'ACCESS_TOKEN', token: 'chosen-token' };
    const answer = await provision(simulator, { ...KEYS, deviceName: 'cam', ...chosen });
    expect(answer).toEqual({ credentialsValue: 'chosen-token', credentialsType: 'ACCESS_TOKEN', status: 'SUCCESS' });
    expect((await openDevice(simulator, 'chosen-token')).received).toEqual(['connack:0']);
    expect(simulator.registry.devices()).toEqual([
      expect.objectContaining({ name: 'cam', token: 'chosen-token', provisioned: true }),
    ]);
  });

  test('the chosen MQTT_BASIC credentials are used, and work at once', async () => {
    const simulator = await simulate();
    const chosen = { credentialsType: 'MQTT_BASIC', clientId: 'c', username: 'u', password: 'p' };
    expect(await provision(simulator, { ...KEYS, deviceName: 'cam', ...chosen })).toMatchObject({ status: 'SUCCESS' });
    const login = { clientId: 'c', username: 'u', password: 'p' };
    expect((await connected(simulator.url, login)).received).toEqual(['connack:0']);
    expect((await connected(simulator.url, { ...login, password: 'q' })).received).toContain('connack:5');
    expect(await provision(simulator, { ...KEYS, deviceName: 'cam-2', ...chosen })).toEqual(FAILURE);
  });

  test('a certificate belongs to one device, in whatever form it is sent', async () => {
    const simulator = await simulate();
    const { cert } = await issueCertificate({ names: ['cam'] });
    const chosen = { ...KEYS, credentialsType: 'X509_CERTIFICATE', hash: cert };
    expect(await provision(simulator, { ...chosen, deviceName: 'cam' })).toMatchObject({ status: 'SUCCESS' });
    const oneLine = cert.split('\n').slice(1, -2).join('');
    expect(await provision(simulator, { ...chosen, deviceName: 'cam-2' })).toEqual(FAILURE);
    expect(await provision(simulator, { ...chosen, deviceName: 'cam-3', hash: oneLine })).toEqual(FAILURE);
    expect(simulator.registry.devices()).toHaveLength(1);
  });

  test('without credentialsType a token is an access token', async () => {
    const simulator = await simulate();
    expect(await provision(simulator, { ...KEYS, deviceName: 'cam', token: 'abc' })).toMatchObject({
      credentialsValue: 'abc',
    });
  });

  test('without a credential field the server generates a token for any type', async () => {
    const simulator = await simulate();
    expect(await provision(simulator, { ...KEYS, deviceName: 'cam', credentialsType: 'MQTT_BASIC' })).toMatchObject({
      credentialsType: 'ACCESS_TOKEN',
      credentialsValue: expect.stringMatching(/^[A-Za-z0-9]{20}$/),
    });
  });

  test('an existing name fails every time, even for the device that created it', async () => {
    const simulator = await simulate();
    const request = { ...KEYS, deviceName: 'cam', token: 'abc' };
    expect(await provision(simulator, request)).toMatchObject({ status: 'SUCCESS' });
    expect(await provision(simulator, request)).toEqual(FAILURE);
    expect(await provision(simulator, request)).toEqual(FAILURE);
    expect(simulator.registry.devices()).toHaveLength(1);
  });

  test('names are trimmed and case-sensitive', async () => {
    const simulator = await simulate();
    await provision(simulator, { ...KEYS, deviceName: ' cam ' });
    await provision(simulator, { ...KEYS, deviceName: 'Cam' });
    expect(simulator.registry.devices().map(({ name }) => name)).toEqual(['cam', 'Cam']);
    expect(await provision(simulator, { ...KEYS, deviceName: 'cam' })).toEqual(FAILURE);
  });

  test.each([{}, { deviceName: '' }])('without a name (%j) the server generates one', async (name) => {
    const simulator = await simulate();
    expect(await provision(simulator, { ...KEYS, ...name })).toMatchObject({ status: 'SUCCESS' });
    expect(simulator.registry.devices()[0]?.name).toMatch(/^[A-Za-z0-9]{20}$/);
  });

  test('a number as name is read as text', async () => {
    const simulator = await simulate();
    await provision(simulator, { ...KEYS, deviceName: 17 });
    expect(simulator.registry.devices()[0]?.name).toBe('17');
  });

  test('a name of 255 characters is accepted', async () => {
    const simulator = await simulate();
    expect(await provision(simulator, { ...KEYS, deviceName: 'x'.repeat(255) })).toMatchObject({ status: 'SUCCESS' });
  });

  test.each([
    ['256 characters', { deviceName: 'x'.repeat(256) }],
    ['HTML in the name', { deviceName: 'a<b>c' }],
    ['a template in the name', { deviceName: 'a{{b}}' }],
    ['a token with control characters', { token: 'a\nb' }],
    ['a user name for an access token', { username: 'u' }],
    ['client id and password without user name', { credentialsType: 'MQTT_BASIC', clientId: 'c', password: 'p' }],
    ['only a password', { credentialsType: 'MQTT_BASIC', password: 'p' }],
    ['an empty certificate', { credentialsType: 'X509_CERTIFICATE', hash: '\n' }],
  ])('%s: FAILURE, nothing created', async (_what, wrong) => {
    const simulator = await simulate();
    expect(await provision(simulator, { ...KEYS, deviceName: 'cam', ...wrong })).toEqual(FAILURE);
    expect(simulator.registry.devices()).toEqual([]);
  });

  test('a token is unique on the server, even among devices of other profiles', async () => {
    const devices = [{ name: 'old', profile: 'another', credentials: { type: 'ACCESS_TOKEN', token: 'abc' } }] as const;
    const simulator = await simulate({ devices });
    expect(await provision(simulator, { ...KEYS, deviceName: 'cam', token: 'abc' })).toEqual(FAILURE);
    expect(simulator.registry.devices()).toHaveLength(1);
  });

  test('the device limit: FAILURE', async () => {
    const simulator = await simulate({ deviceLimit: 1 });
    expect(await provision(simulator, { ...KEYS, deviceName: 'one' })).toMatchObject({ status: 'SUCCESS' });
    expect(await provision(simulator, { ...KEYS, deviceName: 'two' })).toEqual(FAILURE);
  });

  test('of concurrent requests for one name exactly one succeeds', async () => {
    const simulator = await simulate({ commitDelayMs: 30 });
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, i) => provision(simulator, { ...KEYS, deviceName: 'cam', token: `t${i}` })),
    );
    expect(answers.filter(({ status }) => status === 'SUCCESS')).toHaveLength(1);
    expect(simulator.registry.devices()).toHaveLength(1);
  });
});

describe('CHECK_PRE_PROVISIONED_DEVICES', () => {
  const devices = [
    { name: 'cam', credentials: { type: 'ACCESS_TOKEN', token: 'stored' } },
    { name: 'other', profile: 'another' },
  ] as const;
  const stored = { credentialsValue: 'stored', credentialsType: 'ACCESS_TOKEN', status: 'SUCCESS' };

  test('returns the stored credentials, not the chosen ones', async () => {
    const simulator = await simulate({ strategy: CHECK, devices });
    expect(await provision(simulator, { ...KEYS, deviceName: 'cam', token: 'mine' })).toEqual(stored);
    expect((await openDevice(simulator, 'mine')).received).toContain('connack:5');
  });

  test('a device that is provisioned fails until provisionState is deleted', async () => {
    const simulator = await simulate({ strategy: CHECK, devices });
    const request = { ...KEYS, deviceName: 'cam' };
    expect(await provision(simulator, request)).toEqual(stored);
    expect(await provision(simulator, request)).toEqual(FAILURE);
    simulator.registry.deleteProvisionState('cam');
    expect(await provision(simulator, request)).toEqual(stored);
  });

  test('before 4.2.1.1 it succeeds again', async () => {
    const simulator = await simulate({ strategy: CHECK, devices, reprovision: true });
    const request = { ...KEYS, deviceName: 'cam' };
    expect(await provision(simulator, request)).toEqual(stored);
    expect(await provision(simulator, request)).toEqual(stored);
  });

  test.each(['nobody', 'other', ''])('"%s", unknown or of another profile: FAILURE', async (deviceName) => {
    const simulator = await simulate({ strategy: CHECK, devices });
    expect(await provision(simulator, { ...KEYS, deviceName })).toEqual(FAILURE);
    expect(simulator.registry.devices()).toHaveLength(2);
  });
});
