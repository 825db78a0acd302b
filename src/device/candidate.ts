import { randomBytes, randomInt } from 'node:crypto';
import type { DeviceCredentials } from '../deviceCredentials.ts';
import { Secret } from '../secret.ts';

export const TOKEN_ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789abcdefghijklmnopqrstuvwxyz';
/** 119 bits, as in ThingsBoard's own tokens (docs/thingsboard.md, section 2). */
export const TOKEN_LENGTH = 20;

/** Makes one credential of 20 letters and digits. `what` tells several credentials of one device apart. */
export type DrawCredential = (what: string) => Secret;

/** Draws credentials with a CSPRNG. */
export const drawRandom: DrawCredential = () =>
  new Secret(
    Array.from({ length: TOKEN_LENGTH }, () => TOKEN_ALPHABET.charAt(randomInt(TOKEN_ALPHABET.length))).join(''),
  );

/** `device.credentials` of provision.json. */
export type CredentialsKind = 'access_token' | 'mqtt_basic' | 'x509';

/**
 * Generates the credentials of a device before the server is asked.
 * @param draw `drawRandom`, or from a board secret (boardSecret.ts); X.509 keys are always random
 */
export async function generateCredentials(
  kind: CredentialsKind,
  deviceName: string,
  draw: DrawCredential,
): Promise<DeviceCredentials> {
  switch (kind) {
    case 'access_token':
      return { type: 'ACCESS_TOKEN', token: draw('token') };
    case 'mqtt_basic':
      return { type: 'MQTT_BASIC', clientId: deviceName, userName: draw('user name'), password: draw('password') };
    case 'x509': {
      const { selfSigned } = await import('./selfSigned.ts');
      return { type: 'X509_CERTIFICATE', ...(await selfSigned(deviceName)) };
    }
  }
}

/** Generates the identifier of a run: 64 random bits, unique in a fleet. */
export const generateRunId = (): string => randomBytes(8).toString('hex');
