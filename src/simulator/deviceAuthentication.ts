/** Finds the device of a CONNECT, or the CONNACK code that refuses it (docs/thingsboard.md, section 5). */

import { X509Certificate } from 'node:crypto';
import { certificateKey, clientIdAndUserNameKey, clientIdKey, userNameKey } from './credentials.ts';
import type { Device } from './registry.ts';
import type { Refusal } from './returnCodes.ts';

/** The parts of a CONNECT and its connection that identify the client. */
export interface ConnectIdentity {
  readonly clientId: string;
  readonly username?: string;
  readonly password?: string;
  /** The client's TLS certificate, DER. */
  readonly certificate?: Uint8Array;
}

export type Authentication = { readonly device: string } | { readonly refused: Refusal };

type Find = (credentialsKey: string) => Device | undefined;

/** User name or client id is exactly `provision`; nothing else is checked (docs/thingsboard.md, section 1). */
export const isProvisioning = ({ clientId, username }: ConnectIdentity): boolean =>
  username === 'provision' || clientId === 'provision';

/** Whether the database refuses the look-up: the server then answers late, that it is not available. */
export const isUnanswerable = ({ clientId, username = '' }: ConnectIdentity): boolean =>
  `${clientId}${username}`.includes('\0');

/**
 * Looks the device up as the server does.
 * @param find finds the device with these credentials (Registry.findByCredentials)
 * @param now milliseconds since the epoch, for the validity of a client certificate
 */
export function authenticateDevice(identity: ConnectIdentity, find: Find, now: number): Authentication {
  // With a client certificate the server ignores user name and password.
  if (identity.certificate !== undefined) return byCertificate(identity.certificate, find, now);
  const { clientId, username = '', password } = identity;
  const device = username === '' ? byClientId(clientId, find) : byUserName(clientId, username, password, find);
  if (device !== undefined) return { device: device.name };
  if (identity.username !== undefined || password !== undefined) return { refused: 'badCredentials' };
  return { refused: clientId.trim() === '' ? 'notAuthorized' : 'unknownClientId' };
}

/** The key of the credentials with this certificate, which is given as DER. */
export const derKey = (der: Uint8Array): string => certificateKey(Buffer.from(der).toString('base64'));

function byCertificate(der: Uint8Array, find: Find, now: number): Authentication {
  const device = find(derKey(der));
  const { validFrom, validTo } = new X509Certificate(der);
  const valid = Date.parse(validFrom) <= now && now <= Date.parse(validTo);
  return device !== undefined && valid ? { device: device.name } : { refused: 'notAuthorized' };
}

const byClientId = (clientId: string, find: Find): Device | undefined =>
  clientId === '' ? undefined : find(clientIdKey(clientId));

/** Looks up client id with user name, then only the user name: an access token or MQTT_BASIC without client id. */
function byUserName(clientId: string, username: string, password: string | undefined, find: Find): Device | undefined {
  const both = find(clientIdAndUserNameKey(clientId, username));
  if (both !== undefined) return passwordFits(both, password) ? both : undefined;
  const alone = find(userNameKey(username));
  return alone !== undefined && passwordFits(alone, password) ? alone : undefined;
}

/** An access token needs no password. MQTT_BASIC without a stored password accepts any password. */
function passwordFits({ credentials }: Device, password: string | undefined): boolean {
  if (credentials.type !== 'MQTT_BASIC') return true;
  const { password: stored = '' } = credentials;
  return stored === '' || stored === password;
}
