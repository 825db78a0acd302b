import { describe, expect, it } from 'vitest';
import { selfSigned } from '../src/device/selfSigned.ts';
import { areEqual, type DeviceCredentials, fingerprintOf, isCertificate, loginOf } from '../src/deviceCredentials.ts';
import { Secret } from '../src/secret.ts';
import { accessToken } from './support/accessToken.ts';

const basic = (clientId: string | null, userName: string | null, password: string | null): DeviceCredentials => ({
  type: 'MQTT_BASIC',
  clientId,
  userName: userName === null ? null : new Secret(userName),
  password: password === null ? null : new Secret(password),
});
const certificate = async (): Promise<DeviceCredentials> => ({
  type: 'X509_CERTIFICATE',
  ...(await selfSigned('camera-1')),
});

const ALL: readonly DeviceCredentials[] = [
  accessToken('a'),
  accessToken('b'),
  basic('a', null, null),
  basic(null, 'a', null),
  basic(null, 'a', 'b'),
  basic('a', 'b', null),
  basic('c', 'a', 'b'),
  basic('c', 'a', 'c'),
  await certificate(),
  await certificate(),
];

it('credentials are equal only to themselves, and so are their fingerprints', () => {
  for (const one of ALL) expect(ALL.filter((other) => areEqual(one, other))).toEqual([one]);
  expect(new Set(ALL.map(fingerprintOf)).size).toBe(ALL.length);
  for (const one of ALL) expect(fingerprintOf(one)).toMatch(/^[0-9a-f]{8}$/);
});

it('the same certificate with other white space is the same credentials', () => {
  for (const one of ALL.filter(({ type }) => type === 'X509_CERTIFICATE')) {
    if (one.type !== 'X509_CERTIFICATE') continue;
    const other = { ...one, certificate: one.certificate.replaceAll('\n', '\r\n'), key: new Secret('another') };
    expect(areEqual(one, other)).toBe(true);
    expect(fingerprintOf(other)).toBe(fingerprintOf(one));
  }
});

describe('a connection', () => {
  it.each<[string, DeviceCredentials, object]>([
    ['an access token', accessToken('a'), { clientId: 'camera-1', username: 'a' }],
    ['a client id', basic('c', null, null), { clientId: 'c' }],
    ['a user name', basic(null, 'u', null), { clientId: 'camera-1', username: 'u' }],
    ['a user name and a password', basic(null, 'u', 'p'), { clientId: 'camera-1', username: 'u', password: 'p' }],
    ['all three', basic('c', 'u', 'p'), { clientId: 'c', username: 'u', password: 'p' }],
  ])('with %s sends it, and the device name only as a client id that counts for nothing', (_what, given, login) => {
    expect(loginOf(given, 'camera-1')).toEqual(login);
  });

  it('with a certificate sends no user name', async () => {
    const given = await certificate();
    const { clientCertificate, ...login } = loginOf(given, 'camera-1');
    expect(login).toEqual({ clientId: 'camera-1' });
    expect(given.type === 'X509_CERTIFICATE' && clientCertificate?.cert === given.certificate).toBe(true);
  });
});

it.each([
  ['an empty text', ''],
  ['no certificate', 'certificate'],
  ['an empty certificate', '-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----'],
  ['other bytes', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'],
  ['a private key', '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----'],
])('%s is not a certificate', (_what, text) => {
  expect(isCertificate(text)).toBe(false);
});
