/** How the camera logs in, as thermal_config.json has it. A private key is in a file of its own. */

import { type AccessToken, type DeviceCredentials, fingerprintOf, type MqttBasic } from '../../deviceCredentials.ts';
import { Secret } from '../../secret.ts';

/** Paths relative to the device folder. */
export interface ConfiguredCertificate {
  readonly type: 'X509_CERTIFICATE';
  readonly certFile: string;
  readonly keyFile: string;
}

export type ConfiguredLogin = AccessToken | MqttBasic | ConfiguredCertificate;

/** The keys of section `thingsboard` for a login. Keys of other types must not be beside them. */
export const LOGIN_KEYS = [
  'access_token',
  'client_id',
  'username',
  'password',
  'client_cert_file',
  'client_key_file',
] as const;
export type LoginKey = (typeof LOGIN_KEYS)[number];

/** The files of a certificate have its fingerprint in their names, so that an older configuration keeps its own. */
export function configuredLogin(credentials: DeviceCredentials): ConfiguredLogin {
  if (credentials.type !== 'X509_CERTIFICATE') return credentials;
  const fingerprint = fingerprintOf(credentials);
  return {
    type: credentials.type,
    certFile: `client_cert-${fingerprint}.pem`,
    keyFile: `client_key-${fingerprint}.pem`,
  };
}

/** The keys that a login sets, in the order of the file. */
export function loginEntries(login: ConfiguredLogin): readonly (readonly [LoginKey, string])[] {
  switch (login.type) {
    case 'ACCESS_TOKEN':
      return [['access_token', login.token.reveal()]];
    case 'X509_CERTIFICATE':
      return [
        ['client_cert_file', login.certFile],
        ['client_key_file', login.keyFile],
      ];
    case 'MQTT_BASIC': {
      const { clientId, userName, password } = login;
      return [
        ...(clientId === null ? [] : [['client_id', clientId] as const]),
        ...(userName === null ? [] : [['username', userName.reveal()] as const]),
        ...(password === null ? [] : [['password', password.reveal()] as const]),
      ];
    }
  }
}

const isFilled = (value: unknown): boolean => typeof value === 'string' && value !== '';

/**
 * The keys that a login must not leave in an existing section `thingsboard`. Beside an access token the camera ignores
 * the other keys, so a new token leaves them as they are.
 */
export function staleLoginKeys(
  login: ConfiguredLogin,
  section: Readonly<Record<string, unknown>>,
): readonly LoginKey[] {
  if (login.type === 'ACCESS_TOKEN' && isFilled(section.access_token)) return [];
  const set = new Set<LoginKey>(loginEntries(login).map(([key]) => key));
  return LOGIN_KEYS.filter((key) => !set.has(key) && section[key] !== undefined);
}

/** Whether a section without an access token has another login. */
export function hasOtherLogin(section: Readonly<Record<string, unknown>>): boolean {
  if (isFilled(section.access_token)) return false;
  return isFilled(section.client_cert_file) || isFilled(section.username) || isFilled(section.client_id);
}

/** The login of a checked section: an access token is stronger than a certificate, and that is stronger than a user name. */
export function loginOfSection(
  section: {
    readonly [Key in LoginKey]?: string | undefined;
  },
): ConfiguredLogin {
  const { access_token, client_id, username, password, client_cert_file, client_key_file } = section;
  if (access_token) return { type: 'ACCESS_TOKEN', token: new Secret(access_token) };
  if (client_cert_file) {
    return { type: 'X509_CERTIFICATE', certFile: client_cert_file, keyFile: client_key_file ?? '' };
  }
  const secretOf = (text: string | undefined): Secret | null => (text ? new Secret(text) : null);
  return {
    type: 'MQTT_BASIC',
    clientId: client_id || null,
    userName: secretOf(username),
    password: secretOf(password),
  };
}

/** The login keys of a section that is not checked, as far as they are texts. */
export const loginTexts = (section: Readonly<Record<string, unknown>>): { [Key in LoginKey]?: string } =>
  Object.fromEntries(LOGIN_KEYS.map((key) => [key, section[key]]).filter(([, value]) => typeof value === 'string'));

/** Whether two configurations log in alike. */
export const isSameLogin = (one: ConfiguredLogin, other: ConfiguredLogin): boolean =>
  JSON.stringify(loginEntries(one)) === JSON.stringify(loginEntries(other));

/** Names of the files that a provisioned certificate has; `.tmp`: while they are written. */
export const CLIENT_FILE = /^client_(?:cert|key)-[0-9a-f]{8}\.pem(?:\.tmp)?$/;
const FILE_FINGERPRINT = /^client_cert-([0-9a-f]{8})\.pem$/;

/** The fingerprint of the credentials, without reading a certificate; null: it can't be known. */
export function loginFingerprint(login: ConfiguredLogin): string | null {
  return login.type === 'X509_CERTIFICATE'
    ? (FILE_FINGERPRINT.exec(login.certFile)?.[1] ?? null)
    : fingerprintOf(login);
}
