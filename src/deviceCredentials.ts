/** How a device logs in to ThingsBoard, in the types that the server stores (docs/thingsboard.md, sections 2 and 5). */

import { createHash, X509Certificate } from 'node:crypto';
import type { ClientCertificate } from './endpoint.ts';
import { Secret } from './secret.ts';

/** The token is the MQTT user name. */
export interface AccessToken {
  readonly type: 'ACCESS_TOKEN';
  readonly token: Secret;
}

/** MQTT's own client id, user name and password. The operator decides which of them are set. */
export interface MqttBasic {
  readonly type: 'MQTT_BASIC';
  readonly clientId: string | null;
  readonly userName: Secret | null;
  readonly password: Secret | null;
}

/** A TLS client certificate and its private key, both PEM. The server knows only the certificate. */
export interface X509 {
  readonly type: 'X509_CERTIFICATE';
  readonly certificate: string;
  readonly key: Secret;
}

export type DeviceCredentials = AccessToken | MqttBasic | X509;

/** What a connection needs to log in as a device. */
export interface DeviceLogin {
  readonly clientId: string;
  readonly username?: string;
  readonly password?: string;
  readonly clientCertificate?: ClientCertificate;
}

/** The DER bytes of a certificate, by which the server compares. */
const derOf = (pem: string): Buffer => new X509Certificate(pem).raw;

/** Whether a text is a certificate in PEM. */
export function isCertificate(text: string): boolean {
  try {
    return text.includes('-----BEGIN CERTIFICATE-----') && derOf(text).length > 0;
  } catch {
    return false;
  }
}

/** Whether two credentials log in as the same device. For certificates the key does not matter: the server has none. */
export function areEqual(one: DeviceCredentials, other: DeviceCredentials): boolean {
  if (one.type === 'ACCESS_TOKEN') return other.type === one.type && one.token.equals(other.token);
  if (one.type === 'X509_CERTIFICATE') {
    return other.type === one.type && derOf(one.certificate).equals(derOf(other.certificate));
  }
  return (
    other.type === one.type &&
    one.clientId === other.clientId &&
    one.userName?.reveal() === other.userName?.reveal() &&
    one.password?.reveal() === other.password?.reveal()
  );
}

const LABELS: Readonly<Record<DeviceCredentials['type'], string>> = {
  ACCESS_TOKEN: 'an access token',
  MQTT_BASIC: 'a user name with password',
  X509_CERTIFICATE: 'a client certificate',
};

/** For sentences: what the device logs in with. */
export const labelOf = ({ type }: Pick<DeviceCredentials, 'type'>): string => LABELS[type];

/** Eight hexadecimal digits of a SHA-256: distinguishes two credentials without revealing them. */
export function fingerprintOf(credentials: DeviceCredentials): string {
  if (credentials.type === 'ACCESS_TOKEN') return credentials.token.fingerprint();
  if (credentials.type === 'X509_CERTIFICATE') {
    return createHash('sha256').update(derOf(credentials.certificate)).digest('hex').slice(0, 8);
  }
  const { clientId, userName, password } = credentials;
  return new Secret(JSON.stringify([clientId, userName?.reveal() ?? null, password?.reveal() ?? null])).fingerprint();
}

/**
 * What a connection with these credentials sends.
 * @param deviceName the MQTT client id, unless the credentials have their own
 */
export function loginOf(credentials: DeviceCredentials, deviceName: string): DeviceLogin {
  switch (credentials.type) {
    case 'ACCESS_TOKEN':
      return { clientId: deviceName, username: credentials.token.reveal() };
    case 'X509_CERTIFICATE':
      return { clientId: deviceName, clientCertificate: { cert: credentials.certificate, key: credentials.key } };
    case 'MQTT_BASIC': {
      const { clientId, userName, password } = credentials;
      return {
        clientId: clientId ?? deviceName,
        ...(userName === null ? {} : { username: userName.reveal() }),
        ...(password === null ? {} : { password: password.reveal() }),
      };
    }
  }
}
