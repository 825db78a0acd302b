/**
 * Certificates for tests and demonstrations: a CA and the certificates that it issues, valid or deliberately wrong. The
 * library is large, so the simulator loads this module only for TLS.
 */

import { randomBytes, webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import type { Extension } from '../x509.ts';

const {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  X509Certificate,
  X509CertificateGenerator,
} = await import('../x509.ts');

/** A certificate and its private key, both PEM. */
export interface IssuedCertificate {
  readonly cert: string;
  readonly key: string;
}

export interface CertificateRequest {
  /** Host names of the certificate. The first one is also its common name. */
  readonly names?: readonly string[];
  /** IPv4 and IPv6 addresses of the certificate. */
  readonly ips?: readonly string[];
  /** Default: a day ago. */
  readonly notBefore?: Date;
  /** Default: one year from now. */
  readonly notAfter?: Date;
  /** The signing CA; absent: the certificate is self-signed. */
  readonly ca?: IssuedCertificate;
}

export type AuthorityRequest = Pick<CertificateRequest, 'notBefore' | 'notAfter' | 'ca'> & { readonly name?: string };

const DAY_MS = 86_400_000;
const KEY_ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256' };
const SIGNING_ALGORITHM = { name: 'ECDSA', hash: 'SHA-256' };

/** Makes a CA: an EC P-256 key and a certificate, self-signed or issued by another CA. Its name has a random part, so that two CAs differ. */
export function issueAuthority(request: AuthorityRequest = {}): Promise<IssuedCertificate> {
  return issue(`${request.name ?? 'Simulator CA'} ${randomBytes(4).toString('hex')}`, request, [
    new BasicConstraintsExtension(true, undefined, true),
    new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
  ]);
}

/**
 * Issues a certificate for a server or a client, with its own EC P-256 key.
 * @throws TypeError when an element of `ips` is not an address
 */
export async function issueCertificate(request: CertificateRequest): Promise<IssuedCertificate> {
  const { names = [], ips = [] } = request;
  const noAddress = ips.find((ip) => isIP(ip) === 0);
  if (noAddress !== undefined) throw new TypeError(`Not an IP address: ${noAddress}`);
  const alternativeNames = [
    ...names.map((value) => ({ type: 'dns' as const, value })),
    ...ips.map((ip) => ({ type: 'ip' as const, value: withoutDots(ip) })),
  ];
  return issue(names[0] ?? ips[0] ?? 'nobody', request, [
    new BasicConstraintsExtension(false, undefined, true),
    new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
    new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth, ExtendedKeyUsage.clientAuth]),
    ...(alternativeNames.length > 0 ? [new SubjectAlternativeNameExtension(alternativeNames)] : []),
  ]);
}

/** The library misreads an IPv6 address that ends like IPv4 (`::ffff:1.2.3.4`). A URL gives it in hexadecimal. */
const withoutDots = (ip: string): string => (isIP(ip) === 6 ? new URL(`http://[${ip}]`).hostname.slice(1, -1) : ip);

async function issue(
  commonName: string,
  { ca, notBefore, notAfter }: CertificateRequest,
  extensions: Extension[],
): Promise<IssuedCertificate> {
  const { publicKey, privateKey } = await webcrypto.subtle.generateKey(KEY_ALGORITHM, true, ['sign', 'verify']);
  const subject = [{ CN: [commonName] }];
  const certificate = await X509CertificateGenerator.create({
    subject,
    issuer: ca === undefined ? subject : new X509Certificate(ca.cert).subjectName,
    publicKey,
    signingKey: ca === undefined ? privateKey : await signingKeyOf(ca),
    signingAlgorithm: SIGNING_ALGORITHM,
    notBefore: notBefore ?? new Date(Date.now() - DAY_MS),
    notAfter: notAfter ?? new Date(Date.now() + 365 * DAY_MS),
    extensions,
  });
  const key = await webcrypto.subtle.exportKey('pkcs8', privateKey);
  const keyPem = PemConverter.encode(key, PemConverter.PrivateKeyTag);
  return { cert: `${certificate.toString('pem')}\n`, key: `${keyPem}\n` };
}

const signingKeyOf = ({ key }: IssuedCertificate): Promise<webcrypto.CryptoKey> =>
  webcrypto.subtle.importKey('pkcs8', PemConverter.decodeFirst(key), KEY_ALGORITHM, false, ['sign']);
