/** Certificates for tests and demonstrations: a CA of one's own and what it issues, valid or wrong in a chosen way. */

import { createPrivateKey, generateKeyPairSync, type KeyObject, randomBytes, sign, X509Certificate } from 'node:crypto';
import { isIPv4, isIPv6, SocketAddress } from 'node:net';
import {
  bitString,
  boolean,
  constructed,
  objectIdentifier,
  octetString,
  primitive,
  sequence,
  set,
  time,
  unsignedInteger,
  utf8String,
} from './der.ts';

/** A certificate and its private key, both PEM. */
export interface IssuedCertificate {
  readonly cert: string;
  readonly key: string;
}

export interface CertificateRequest {
  /** Host names the certificate is for; the first is its common name too. */
  readonly names?: readonly string[];
  /** IPv4 and IPv6 addresses the certificate is for. */
  readonly ips?: readonly string[];
  /** Default: a day ago. */
  readonly notBefore?: Date;
  /** Default: in a year. */
  readonly notAfter?: Date;
  /** Who signs; absent: the certificate signs itself. */
  readonly ca?: IssuedCertificate;
}

export type AuthorityRequest = Pick<CertificateRequest, 'notBefore' | 'notAfter'> & { readonly name?: string };

const DAY_MS = 86_400_000;
const COMMON_NAME = '2.5.4.3';
const ECDSA_WITH_SHA256 = '1.2.840.10045.4.3.2';
const BASIC_CONSTRAINTS = '2.5.29.19';
const KEY_USAGE = '2.5.29.15';
const EXTENDED_KEY_USAGE = '2.5.29.37';
const SUBJECT_ALT_NAME = '2.5.29.17';
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';
const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';

const signatureAlgorithm = sequence(objectIdentifier(ECDSA_WITH_SHA256));

const distinguishedName = (commonName: string): Buffer =>
  sequence(set(sequence(objectIdentifier(COMMON_NAME), utf8String(commonName))));

const extension = (oid: string, critical: boolean, value: Uint8Array): Buffer =>
  critical
    ? sequence(objectIdentifier(oid), boolean(true), octetString(value))
    : sequence(objectIdentifier(oid), octetString(value));

/** The 16 bytes of an IPv6 address in any of its spellings. */
function ipv6Bytes(ip: string): Buffer {
  const plain = new SocketAddress({ family: 'ipv6', address: ip }).address;
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(plain);
  const hex = dotted
    ? `${dotted[1]}${Buffer.from([Number(dotted[2]), Number(dotted[3])]).toString('hex')}:${Buffer.from([Number(dotted[4]), Number(dotted[5])]).toString('hex')}`
    : plain;
  const [head = '', tail = ''] = hex.split('::');
  const groups = (part: string): string[] => part.split(':').filter((group) => group !== '');
  const missing = 8 - groups(head).length - groups(tail).length;
  const all = [...groups(head), ...Array<string>(missing).fill('0'), ...groups(tail)];
  return Buffer.from(all.map((group) => group.padStart(4, '0')).join(''), 'hex');
}

function ipBytes(ip: string): Buffer {
  if (isIPv4(ip)) return Buffer.from(ip.split('.').map(Number));
  if (isIPv6(ip)) return ipv6Bytes(ip);
  throw new TypeError(`Not an IP address: ${ip}`);
}

/** Subject alternative names (RFC 5280 section 4.2.1.6): [2] dNSName, [7] iPAddress. */
function alternativeNames(names: readonly string[], ips: readonly string[]): Buffer {
  return sequence(
    ...names.map((name) => primitive(2, Buffer.from(name, 'ascii'))),
    ...ips.map((ip) => primitive(7, ipBytes(ip))),
  );
}

interface Content {
  readonly subject: Buffer;
  readonly issuer: Buffer;
  readonly signer: KeyObject;
  readonly publicKey: KeyObject;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly extensions: readonly Buffer[];
}

function signedPem(content: Content): string {
  const serial = randomBytes(16);
  serial[0] = 0x40 | ((serial[0] ?? 0) & 0x3f);
  const version3 = constructed(0, unsignedInteger(Buffer.from([2])));
  const toBeSigned = sequence(
    version3,
    unsignedInteger(serial),
    signatureAlgorithm,
    content.issuer,
    sequence(time(content.notBefore), time(content.notAfter)),
    content.subject,
    content.publicKey.export({ type: 'spki', format: 'der' }),
    constructed(3, sequence(...content.extensions)),
  );
  const signature = sign('sha256', toBeSigned, content.signer);
  const der = sequence(toBeSigned, signatureAlgorithm, bitString(signature));
  return new X509Certificate(der).toString();
}

const validity = (request: AuthorityRequest): { notBefore: Date; notAfter: Date } => ({
  notBefore: request.notBefore ?? new Date(Date.now() - DAY_MS),
  notAfter: request.notAfter ?? new Date(Date.now() + 365 * DAY_MS),
});

const newKeyPair = (): { publicKey: KeyObject; privateKey: KeyObject } =>
  generateKeyPairSync('ec', { namedCurve: 'prime256v1' });

const keyPem = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString();

/** Makes a CA: an EC P-256 key and a self-signed certificate. Its name gets a random part, so that two CAs differ. */
export function issueAuthority(request: AuthorityRequest = {}): IssuedCertificate {
  const { publicKey, privateKey } = newKeyPair();
  const name = distinguishedName(`${request.name ?? 'Simulator CA'} ${randomBytes(4).toString('hex')}`);
  const cert = signedPem({
    subject: name,
    issuer: name,
    signer: privateKey,
    publicKey,
    ...validity(request),
    extensions: [
      extension(BASIC_CONSTRAINTS, true, sequence(boolean(true))),
      // keyCertSign and cRLSign: bits 5 and 6.
      extension(KEY_USAGE, true, bitString(Buffer.from([0x06]), 1)),
    ],
  });
  return { cert, key: keyPem(privateKey) };
}

/** The common name of a certificate that `issueAuthority` made. */
function commonNameOf(cert: string): string {
  return new X509Certificate(cert).subject.replace(/^CN=/, '');
}

/**
 * Issues a certificate for a server or a client: an EC P-256 key of its own, signed by `ca` or by itself.
 * @throws TypeError when an element of `ips` is no address
 */
export function issueCertificate(request: CertificateRequest): IssuedCertificate {
  const { publicKey, privateKey } = newKeyPair();
  const { names = [], ips = [], ca } = request;
  const subject = distinguishedName(names[0] ?? ips[0] ?? 'nobody');
  const cert = signedPem({
    subject,
    issuer: ca === undefined ? subject : distinguishedName(commonNameOf(ca.cert)),
    signer: ca === undefined ? privateKey : createPrivateKey(ca.key),
    publicKey,
    ...validity(request),
    extensions: [
      extension(BASIC_CONSTRAINTS, true, sequence()),
      // digitalSignature: bit 0, all that ECDSA key exchange needs.
      extension(KEY_USAGE, true, bitString(Buffer.from([0x80]), 7)),
      extension(EXTENDED_KEY_USAGE, false, sequence(objectIdentifier(SERVER_AUTH), objectIdentifier(CLIENT_AUTH))),
      ...(names.length + ips.length > 0 ? [extension(SUBJECT_ALT_NAME, false, alternativeNames(names, ips))] : []),
    ],
  });
  return { cert, key: keyPem(privateKey) };
}
