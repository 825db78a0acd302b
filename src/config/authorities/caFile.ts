import { X509Certificate } from 'node:crypto';
import { resolve } from 'node:path';
import { Failure } from '../../failures/failure.ts';
import type { ServerFacts } from '../../failures/serverFacts.ts';
import { type ReadProblem, readLimited } from '../../files/readLimited.ts';

export const MAX_CA_BYTES = 1024 * 1024;

const REASONS: Readonly<Record<ReadProblem, string>> = {
  absent: 'it does not exist',
  'not-a-file': 'it is not a plain file',
  'too-large': `it is larger than ${MAX_CA_BYTES} bytes`,
  'not-permitted': 'no permission to read it',
  unreadable: 'it could not be read',
};

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g;

function isCertificate(pem: string): boolean {
  try {
    new X509Certificate(pem);
    return true;
  } catch {
    return false;
  }
}

/** The paths at which Debian, Fedora and Alpine keep the bundle of trusted certificate authorities. */
const BUNDLES = ['/etc/ssl/certs/ca-certificates.crt', '/etc/pki/tls/certs/ca-bundle.crt', '/etc/ssl/cert.pem'];
const MAX_BUNDLE_BYTES = 4 * 1024 * 1024;

/**
 * The system's certificate authorities (PEM). Node trusts only its built-in list, but an operator who adds an authority
 * to the device expects the agent to trust it too.
 * @returns undefined where there is no bundle: Node's built-in list is used
 */
export async function systemAuthorities(bundles: readonly string[] = BUNDLES): Promise<string | undefined> {
  for (const path of bundles) {
    const read = await readLimited(path, MAX_BUNDLE_BYTES);
    if (read.ok && read.bytes.length > 0) return read.bytes.toString('utf8');
  }
  return undefined;
}

/**
 * Reads the PEM bundle of CA certificates (RFC 7468) that a configuration names.
 * @param caFile path relative to the device folder
 * @param section the configuration's section that names the file, for the hint
 * @returns the text; it holds at least one certificate that can be parsed
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
    throw new Failure('CA_FILE_UNUSABLE', 'unreadable', { path, section, why: REASONS[read.problem] }, read.cause);
  }
  const text = read.bytes.toString('latin1');
  for (const [block] of text.matchAll(CERTIFICATE)) if (isCertificate(block)) return read.bytes.toString('utf8');
  throw new Failure('CA_FILE_UNUSABLE', 'noCertificate', { path, section });
}

/**
 * The authorities that a TLS connection trusts: those in `ca_file`, otherwise the system's. Undefined without TLS.
 * @throws Failure CA_FILE_UNUSABLE
 */
export async function trustedAuthorities(
  deviceFolder: string,
  { useSsl, caFile }: { readonly useSsl: boolean; readonly caFile?: string | undefined },
  section: ServerFacts['section'],
): Promise<string | undefined> {
  if (!useSsl) return undefined;
  return caFile === undefined ? systemAuthorities() : readCaFile(deviceFolder, caFile, section);
}
