import { describe, expect, it } from 'vitest';
import { selfSigned } from '../../src/device/selfSigned.ts';
import { areEqual, type DeviceCredentials } from '../../src/deviceCredentials.ts';
import { Secret } from '../../src/secret.ts';
import { x509 } from '../../src/simulator/credentials.ts';
import { provisionRequestPayload } from '../../src/thingsboard/provisionRequest.ts';
import { type AnsweredCredentials, parseProvisionResponse } from '../../src/thingsboard/provisionResponse.ts';
import { everyWordOf, failureOf } from '../config/scratch.ts';

const PAIR = { type: 'X509_CERTIFICATE', ...(await selfSigned('camera-1')) } as const;

const requested = (credentials: DeviceCredentials) =>
  JSON.parse(
    provisionRequestPayload({
      deviceKey: new Secret('key'),
      deviceSecret: new Secret('secret'),
      deviceName: 'camera-1',
      credentials,
    }),
  );
const COMMON = { provisionDeviceKey: 'key', provisionDeviceSecret: 'secret', deviceName: 'camera-1' };

describe('a request', () => {
  it('for a certificate has the certificate and not the key', () => {
    expect(requested(PAIR)).toEqual({ ...COMMON, credentialsType: 'X509_CERTIFICATE', hash: PAIR.certificate });
    expect(JSON.stringify(requested(PAIR))).not.toContain('PRIVATE KEY');
  });

  it('for MQTT_BASIC has the parts that are set, and no null', () => {
    const all = { type: 'MQTT_BASIC', clientId: 'c', userName: new Secret('u'), password: new Secret('p') } as const;
    const fields = { ...COMMON, credentialsType: 'MQTT_BASIC' };
    expect(requested(all)).toEqual({ ...fields, clientId: 'c', username: 'u', password: 'p' });
    expect(requested({ ...all, clientId: null, password: null })).toEqual({ ...fields, username: 'u' });
    expect(requested({ ...all, userName: null, password: null })).toEqual({ ...fields, clientId: 'c' });
  });
});

const answered = (credentialsType: string, credentialsValue?: unknown): AnsweredCredentials => {
  const json = { credentialsValue, credentialsType, status: 'SUCCESS' };
  const response = parseProvisionResponse(Buffer.from(JSON.stringify(json)));
  if (response.status !== 'SUCCESS') throw new Error(response.status);
  return response.credentials;
};

describe('an answer', () => {
  it.each<[object, string | null, string | null, string | null]>([
    [{ clientId: 'c', userName: 'u', password: 'p' }, 'c', 'u', 'p'],
    [{ clientId: '', userName: 'u', password: '' }, null, 'u', null],
    [{ clientId: null, userName: 'u', password: null }, null, 'u', null],
    [{ clientId: 'c' }, 'c', null, null],
  ])('with MQTT_BASIC credentials %j', (value, clientId, userName, password) => {
    const found = answered('MQTT_BASIC', value);
    if (found.type !== 'MQTT_BASIC') throw new Error(found.type);
    expect([found.clientId, found.userName?.reveal() ?? null, found.password?.reveal() ?? null]).toEqual([
      clientId,
      userName,
      password,
    ]);
  });

  it('with a certificate as one line of base64 is that certificate in PEM', () => {
    const found = answered('X509_CERTIFICATE', x509(PAIR.certificate).certificate);
    expect(found.type === 'X509_CERTIFICATE' && areEqual({ ...found, key: PAIR.key }, PAIR)).toBe(true);
  });

  it.each<[string, string, unknown]>([
    ['neither client id nor user name', 'MQTT_BASIC', { clientId: '', userName: null, password: 'p4ssword' }],
    ['a text in place of MQTT_BASIC credentials', 'MQTT_BASIC', 'p4ssword'],
    ['a user name with a line break', 'MQTT_BASIC', { userName: 'p4ssword\n' }],
    ['a password that is too long', 'MQTT_BASIC', { userName: 'u', password: 'p4ssword'.repeat(200) }],
    ['base64 that is no certificate', 'X509_CERTIFICATE', 'p4ssword'],
    ['an object in place of a certificate', 'X509_CERTIFICATE', { certificate: 'p4ssword' }],
    ['no certificate', 'X509_CERTIFICATE', undefined],
  ])('with %s is ANSWER_INVALID, and nothing of it is shown', async (_what, type, value) => {
    const failure = await failureOf(async () => answered(type, value));
    expect(failure.code).toBe('ANSWER_INVALID');
    expect(everyWordOf(failure)).not.toContain('p4ssword');
  });

  it('with LwM2M credentials, which have no value, is CREDENTIALS_TYPE_UNSUPPORTED', async () => {
    const failure = await failureOf(async () => answered('LWM2M_CREDENTIALS'));
    expect(failure.code).toBe('CREDENTIALS_TYPE_UNSUPPORTED');
  });
});
