/**
 * Device credentials as ThingsBoard stores, finds and returns them (docs/thingsboard.md, sections 2, 3 and 5). The file
 * with the agent's names and tokens is handled in src/state/credentials.ts.
 */

import { createHash, randomInt } from 'node:crypto';

export interface AccessToken {
  readonly type: 'ACCESS_TOKEN';
  readonly token: string;
}

/** At least one of client id and user name is set. */
export interface MqttBasic {
  readonly type: 'MQTT_BASIC';
  readonly clientId?: string;
  readonly userName?: string;
  readonly password?: string;
}

export interface X509 {
  readonly type: 'X509_CERTIFICATE';
  /** One line of base64 without the PEM header and footer. */
  readonly certificate: string;
}

/** Of a device that does not speak MQTT. An operator can give them to any device. */
export interface Lwm2m {
  readonly type: 'LWM2M_CREDENTIALS';
  readonly endpoint: string;
}

export type Credentials = AccessToken | MqttBasic | X509 | Lwm2m;

const ALPHANUMERICS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** Random characters, 20 by default, as the server generates them for missing tokens and names. */
export function randomAlphanumeric(length = 20): string {
  return Array.from({ length }, () => ALPHANUMERICS[randomInt(ALPHANUMERICS.length)]).join('');
}

/** A certificate as PEM or as bare base64 of any line length, as the server stores it. */
export const x509 = (text: string): X509 => ({
  type: 'X509_CERTIFICATE',
  certificate: text.replace(/-----(BEGIN|END) CERTIFICATE-----/g, '').replace(/\s/g, ''),
});

export const clientIdKey = (clientId: string): string => `client id ${JSON.stringify(clientId)}`;
export const clientIdAndUserNameKey = (clientId: string, userName: string): string =>
  `client id ${JSON.stringify(clientId)} and user ${JSON.stringify(userName)}`;
// Both share one key space: the server looks up a user name among the access tokens and the MQTT_BASIC user names.
export const userNameKey = (userName: string): string => `user ${JSON.stringify(userName)}`;
export const certificateKey = (certificate: string): string => `certificate ${certificate}`;

/** The key by which the server finds credentials when a device connects. It is unique on the whole server. */
export function credentialsKey(credentials: Credentials): string {
  switch (credentials.type) {
    case 'ACCESS_TOKEN':
      return userNameKey(credentials.token);
    case 'X509_CERTIFICATE':
      return certificateKey(credentials.certificate);
    case 'LWM2M_CREDENTIALS':
      return `endpoint ${JSON.stringify(credentials.endpoint)}`;
    case 'MQTT_BASIC': {
      const { clientId = '', userName = '' } = credentials;
      if (clientId === '') return userNameKey(userName);
      return userName === '' ? clientIdKey(clientId) : clientIdAndUserNameKey(clientId, userName);
    }
  }
}

/** Why the server would not store these credentials, or undefined. The reason is never sent to the client. */
export function credentialsProblem(credentials: Credentials): string | undefined {
  switch (credentials.type) {
    case 'ACCESS_TOKEN':
      if (credentials.token === '') return 'the token is empty';
      return /\p{Cc}/u.test(credentials.token) ? 'the token has control characters' : undefined;
    case 'X509_CERTIFICATE':
      return credentials.certificate === '' ? 'the certificate is empty' : undefined;
    case 'LWM2M_CREDENTIALS':
      return credentials.endpoint.trim() === '' ? 'the endpoint is empty' : undefined;
    case 'MQTT_BASIC': {
      const { clientId = '', userName = '', password = '' } = credentials;
      if (clientId === '' && userName === '') return 'neither client id nor user name';
      return userName === '' && password !== '' ? 'client id and password without user name' : undefined;
    }
  }
}

/** The id by which the server stores credentials, as its administration shows it. */
export function credentialsId(credentials: Credentials): string {
  switch (credentials.type) {
    case 'ACCESS_TOKEN':
      return credentials.token;
    case 'X509_CERTIFICATE':
      return sha3(credentials.certificate);
    case 'LWM2M_CREDENTIALS':
      return credentials.endpoint;
    case 'MQTT_BASIC': {
      const { clientId = '', userName = '' } = credentials;
      if (clientId === '') return userName;
      return sha3(userName === '' ? clientId : `${clientId}|${userName}`);
    }
  }
}

const sha3 = (text: string): string => createHash('sha3-256').update(text).digest('hex');

/** The value of `credentialsValue` in a response (docs/thingsboard.md, section 3); undefined: it has none. */
export function credentialsValue(
  credentials: Credentials,
): string | Readonly<Record<string, string | null>> | undefined {
  switch (credentials.type) {
    case 'ACCESS_TOKEN':
      return credentials.token;
    case 'X509_CERTIFICATE':
      return credentials.certificate;
    case 'MQTT_BASIC':
      return {
        clientId: credentials.clientId ?? null,
        userName: credentials.userName ?? null,
        password: credentials.password ?? null,
      };
    case 'LWM2M_CREDENTIALS':
      return undefined;
  }
}
