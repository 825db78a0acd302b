import { describe, expect, it } from 'vitest';
import { cameraProblems, parseThermalConfig } from '../../../src/config/thermal/cameraRules.ts';
import {
  type ConfiguredLogin,
  isSameLogin,
  loginEntries,
  loginFingerprint,
} from '../../../src/config/thermal/configuredLogin.ts';
import { carriesCredentials, freshConfig, isDevice } from '../../../src/config/thermal/credentialsSections.ts';
import { mergeCredentials } from '../../../src/config/thermal/mergeCredentials.ts';
import { Secret } from '../../../src/secret.ts';
import { accessToken } from '../../support/accessToken.ts';
import { credentials } from '../credentials.ts';

const TOKEN = accessToken('the-new-token');
const BASIC: ConfiguredLogin = {
  type: 'MQTT_BASIC',
  clientId: 'client',
  userName: new Secret('user'),
  password: new Secret('password'),
};
const CLIENT_ID: ConfiguredLogin = { type: 'MQTT_BASIC', clientId: 'client', userName: null, password: null };
const USER_NAME: ConfiguredLogin = { type: 'MQTT_BASIC', clientId: null, userName: new Secret('user'), password: null };
const CERTIFICATE: ConfiguredLogin = {
  type: 'X509_CERTIFICATE',
  certFile: 'client_cert-00c0ffee.pem',
  keyFile: 'client_key-00c0ffee.pem',
};
const LOGINS = { TOKEN, BASIC, CLIENT_ID, USER_NAME, CERTIFICATE };
const PAIRS = Object.entries(LOGINS).flatMap(([from, old]) =>
  Object.entries(LOGINS).map(([to, now]) => [from, to, old, now] as const),
);

const section = (bytes: Uint8Array): Record<string, unknown> => JSON.parse(Buffer.from(bytes).toString()).thingsboard;
const loginIn = (bytes: Uint8Array) => {
  const {
    host: _h,
    port: _p,
    device_id: _d,
    use_ssl: _u,
    keep_alive_seconds: _k,
    qos_level: _q,
    ...login
  } = section(bytes);
  return login;
};
const withLogin = (login: ConfiguredLogin) => credentials({ login, useSsl: true, port: 8883 });

describe('a thermal_config.json', () => {
  it.each(PAIRS)('with the login %s gets %s, and only its keys', (_from, _to, old, now) => {
    const merged = mergeCredentials(freshConfig(withLogin(old)), withLogin(now));
    expect(loginIn(merged)).toEqual(Object.fromEntries(loginEntries(now)));
    expect(carriesCredentials(merged, withLogin(now))).toBe(true);
    expect(isDevice(merged, 'thermal-camera-7B3F2A', now)).toBe(true);
    expect(isDevice(merged, 'thermal-camera-7B3F2A', old)).toBe(isSameLogin(old, now));
  });

  it.each(Object.entries(LOGINS))('with the login %s is read for normal operation', (_name, login) => {
    const bytes = freshConfig(withLogin(login));
    expect(cameraProblems(bytes)).toEqual([]);
    expect(isSameLogin(parseThermalConfig(bytes).thingsboard.login, login)).toBe(true);
  });

  it('has one login: a token is stronger than a certificate, and that is stronger than a user name', () => {
    const parse = (...logins: ConfiguredLogin[]) => {
      const json = JSON.parse(freshConfig(withLogin(CLIENT_ID)).toString());
      for (const login of logins) Object.assign(json.thingsboard, Object.fromEntries(loginEntries(login)));
      return parseThermalConfig(Buffer.from(JSON.stringify(json))).thingsboard.login.type;
    };
    expect(parse(BASIC)).toBe('MQTT_BASIC');
    expect(parse(BASIC, CERTIFICATE)).toBe('X509_CERTIFICATE');
    expect(parse(BASIC, CERTIFICATE, TOKEN)).toBe('ACCESS_TOKEN');
  });
});

describe('the rules for a login', () => {
  const problems = (change: object): readonly string[] => {
    const json = JSON.parse(freshConfig(withLogin(CERTIFICATE)).toString());
    Object.assign(json.thingsboard, change);
    return cameraProblems(Buffer.from(JSON.stringify(json)));
  };

  it.each<[string, object, string[]]>([
    ['a certificate with its key and TLS', {}, []],
    ['a certificate on port 8883', { use_ssl: undefined }, []],
    [
      'a certificate without its key',
      { client_key_file: undefined },
      ['thingsboard.client_key_file: expected the file of the key, because client_cert_file is set'],
    ],
    [
      'a certificate without TLS',
      { use_ssl: false },
      ['thingsboard.use_ssl: expected true, because client_cert_file is set'],
    ],
    ['a certificate without TLS beside a token, which is used', { use_ssl: false, access_token: 't' }, []],
    ['a user name that is not a text', { username: 7 }, ['thingsboard.username: expected a string']],
    ['no login at all', { client_cert_file: '' }, ['thingsboard.access_token: expected a non-empty string']],
  ])('%s', (_what, change, expected) => {
    expect(problems(change)).toEqual(expected);
  });
});

it('the fingerprint of a certificate is in the names of its files', () => {
  expect(loginFingerprint(CERTIFICATE)).toBe('00c0ffee');
  expect(loginFingerprint({ ...CERTIFICATE, certFile: 'mine.pem' })).toBeNull();
});
