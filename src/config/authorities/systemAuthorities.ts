import { readLimited } from '../../files/readLimited.ts';

/** Where Debian, Fedora and Alpine keep the bundle of the certificate authorities that the device trusts. */
const BUNDLES = ['/etc/ssl/certs/ca-certificates.crt', '/etc/pki/tls/certs/ca-bundle.crt', '/etc/ssl/cert.pem'];
const MAX_BUNDLE_BYTES = 4 * 1024 * 1024;

/**
 * The system's certificate authorities (PEM): an operator who adds one to the device means us too. Node by itself
 * trusts the list that it was built with.
 * @returns undefined where there is no bundle: then Node's own list is used
 */
export async function systemAuthorities(bundles: readonly string[] = BUNDLES): Promise<string | undefined> {
  for (const path of bundles) {
    const read = await readLimited(path, MAX_BUNDLE_BYTES);
    if (read.ok && read.bytes.length > 0) return read.bytes.toString('utf8');
  }
  return undefined;
}
