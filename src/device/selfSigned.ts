/** The camera's own key pair. */

import { webcrypto } from 'node:crypto';
import { Secret } from '../secret.ts';

const KEY_ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256' };
/** A board without a clock may have any date, and the server refuses a certificate that is not yet valid. */
const VALID_FROM = new Date('1970-01-01T00:00:00Z');
/** No well-defined end (RFC 5280, section 4.1.2.5). */
const VALID_UNTIL = new Date('9999-12-31T23:59:59Z');

/**
 * Makes a P-256 key and a self-signed certificate for it, both PEM.
 * @param commonName the device name
 */
export async function selfSigned(commonName: string): Promise<{ readonly certificate: string; readonly key: Secret }> {
  const { PemConverter, X509CertificateGenerator } = await import('../x509.ts');
  const keys = await webcrypto.subtle.generateKey(KEY_ALGORITHM, true, ['sign', 'verify']);
  const certificate = await X509CertificateGenerator.createSelfSigned(
    {
      name: `CN=${commonName}`,
      notBefore: VALID_FROM,
      notAfter: VALID_UNTIL,
      signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
      keys,
    },
    webcrypto,
  );
  const pkcs8 = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
  return {
    certificate: `${certificate.toString('pem')}\n`,
    key: new Secret(`${PemConverter.encode(pkcs8, 'PRIVATE KEY')}\n`),
  };
}
