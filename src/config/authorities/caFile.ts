import { X509Certificate } from 'node:crypto';
import { resolve } from 'node:path';
import { Failure } from '../../failures/failure.ts';
import type { ServerFacts } from '../../failures/serverFacts.ts';
import { type ReadProblem, readLimited } from '../../files/readLimited.ts';

export const MAX_CA_BYTES = 1024 * 1024;

export const UNREADABLE: Readonly<Record<ReadProblem, string>> = {
  absent: 'it does not exist',
  'not-a-file': 'it is not a plain file',
  'too-large': `it is larger than ${MAX_CA_BYTES} bytes`,
  'not-permitted': 'no permission to read it',
  unreadable: 'it could not be read',
};

const CERTIFICATE = /-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----/g;

/** The certificate, or undefined if the bytes are not one. */
function certificateIn(der: Buffer): X509Certificate | undefined {
  try {
    return new X509Certificate(der);
  } catch {
    return undefined;
  }
}

/**
 * The certificates in a text (RFC 7468) as PEM, each with its own lines. OpenSSL stops reading at the first block that
 * is damaged, indented, or begins on the last line of another block.
 * @returns an empty text if there is none
 */
export function certificatesIn(bytes: Buffer): string {
  const blocks = [...bytes.toString('latin1').matchAll(CERTIFICATE)];
  return blocks.map(([, base64 = '']) => certificateIn(Buffer.from(base64, 'base64'))?.toString() ?? '').join('');
}

/** Why a file holds no certificate, by its content. */
const CONTENTS: readonly (readonly [RegExp, string])[] = [
  [/^\s*$/, 'it is empty'],
  [/-----BEGIN CERTIFICATE-----/, 'its certificate is damaged'],
  [/-----BEGIN [A-Z ]*CERTIFICATE REQUEST-----/, 'it holds a certificate request, not a certificate'],
  [/-----BEGIN [A-Z ]*KEY-----/, 'it holds a key, not a certificate'],
  [/^(?:\xff\xfe|\xfe\xff)/, 'it is saved as UTF-16: save it as UTF-8'],
];

/**
 * Reads the PEM bundle of CA certificates that a configuration names.
 * @param caFile path relative to the device folder
 * @param section the configuration's section that names the file, for the hint
 * @returns the file's certificates: at least one
 * @throws Failure CA_FILE_UNUSABLE
 */
export async function readCaFile(
  deviceFolder: string,
  caFile: string,
  section: ServerFacts['section'],
): Promise<string> {
  const path = resolve(deviceFolder, caFile);
  const read = await readLimited(path, MAX_CA_BYTES);
  if (!read.ok) {
    throw new Failure('CA_FILE_UNUSABLE', 'unreadable', { path, section, why: UNREADABLE[read.problem] }, read.cause);
  }
  const pem = certificatesIn(read.bytes);
  if (pem !== '') return pem;
  if (certificateIn(read.bytes) !== undefined) throw new Failure('CA_FILE_UNUSABLE', 'der', { path, section });
  const text = read.bytes.toString('latin1');
  const why = CONTENTS.find(([content]) => content.test(text))?.[1] ?? 'it holds no PEM certificate';
  throw new Failure('CA_FILE_UNUSABLE', 'unreadable', { path, section, why });
}
