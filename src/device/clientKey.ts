/** The private key of a device whose certificate the server already has. */

import { createPrivateKey, X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import { Failure } from '../failures/failure.ts';
import { readLimited } from '../files/readLimited.ts';
import { Secret } from '../secret.ts';

export const CLIENT_KEY = 'client_key.pem';
const MAX_KEY_BYTES = 64 * 1024;

/** Whether a private key belongs to a certificate, both PEM. */
export function isKeyOf(key: Secret, certificate: string): boolean {
  try {
    return new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key.reveal()));
  } catch {
    return false;
  }
}

/**
 * Reads client_key.pem in the device folder.
 * @param certificate PEM, from the server
 * @throws Failure CLIENT_KEY_UNUSABLE when it is absent, encrypted, or does not belong to the certificate
 */
export async function readClientKey(deviceFolder: string, certificate: string): Promise<Secret> {
  const path = join(deviceFolder, CLIENT_KEY);
  const read = await readLimited(path, MAX_KEY_BYTES);
  if (!read.ok) {
    const situation = read.problem === 'absent' ? 'absent' : 'unreadable';
    throw new Failure('CLIENT_KEY_UNUSABLE', situation, { path }, read.problem === 'absent' ? undefined : read.cause);
  }
  const key = new Secret(read.bytes.toString('utf8'));
  if (isKeyOf(key, certificate)) return key;
  throw new Failure('CLIENT_KEY_UNUSABLE', 'otherKey', { path });
}
