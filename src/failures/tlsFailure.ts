import type { ConnectionProgress, ShownCertificate } from './connectionProgress.ts';
import { Failure } from './failure.ts';
import type { ServerFacts } from './serverFacts.ts';

/** The server's certificate, or its issuer, is not known here. By the names in Node's TLS. */
const UNKNOWN_AUTHORITY: readonly string[] = [
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'CERT_UNTRUSTED',
];

/** Errors of certificates that no CA file makes valid. `UNSPECIFIED`: OpenSSL has a text, Node has no name. */
const UNUSABLE_CERTIFICATES: readonly string[] = [
  'INVALID_CA',
  'INVALID_PURPOSE',
  'PATH_LENGTH_EXCEEDED',
  'CERT_CHAIN_TOO_LONG',
  'CERT_REJECTED',
  'CERT_REVOKED',
  'UNSPECIFIED',
];

/**
 * Alerts about a certificate (RFC 8446, section 6.2; 41: RFC 6101). If the agent sent no certificate, the server misses
 * it.
 */
const CERTIFICATE_ALERTS: readonly number[] = [41, 42, 43, 44, 45, 46, 48, 116];
/** certificate_unknown: ThingsBoard before 3.5 has no device with it (docs/thingsboard.md, section 5). */
const CERTIFICATE_UNKNOWN = 46;
const HANDSHAKE_FAILURE = 40;
const PROTOCOL_VERSION = 70;
const INSUFFICIENT_SECURITY = 71;
const UNRECOGNIZED_NAME = 112;

/** OpenSSL's texts for an answer that is not TLS. */
const NOT_TLS = /wrong version number|packet length too long|unexpected message|http request|unknown protocol/;
const OLD_VERSION = /unsupported protocol|wrong ssl version|version too low/;
const TOO_WEAK = /too (?:small|weak)|md too weak/;

const MAX_REASON_LENGTH = 100;

/** What OpenSSL says: the alert that the server sent, if it sent one, and a text such as "wrong version number". */
function reasonOf(error: unknown, errno: string): { readonly alert: number | undefined; readonly text: string } {
  const message = error instanceof Error ? error.message : '';
  const alert = /SSL alert number (\d+)/.exec(message)?.[1];
  const text =
    /:SSL routines:[^:]*:([^:]+):/.exec(message)?.[1] ??
    errno
      .replace(/^ERR_SSL_/, '')
      .replaceAll('_', ' ')
      .toLowerCase();
  return { alert: alert === undefined ? undefined : Number(alert), text: text.slice(0, MAX_REASON_LENGTH) };
}

/** A failure of the TLS handshake or of the certificate's verification; undefined for another error. */
export function tlsFailure(
  error: unknown,
  errno: string,
  server: ServerFacts,
  progress: ConnectionProgress,
): Failure | undefined {
  if (errno === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    const hosts = progress.chain[0]?.hosts.join(', ') || 'no name';
    return new Failure('TLS_WRONG_HOST', 'certificate', { ...server, hosts }, error);
  }
  if (errno === 'CERT_NOT_YET_VALID') return new Failure('TLS_NOT_YET_VALID', 'certificate', server, error);
  if (errno === 'CERT_HAS_EXPIRED') return expired(error, server, progress);
  if (errno === 'DEPTH_ZERO_SELF_SIGNED_CERT') {
    return new Failure('TLS_UNKNOWN_CA', 'selfSigned', { ...server, unused: progress.server.ca?.unused ?? '' }, error);
  }
  if (errno === 'CERT_SIGNATURE_FAILURE')
    return new Failure('TLS_UNKNOWN_CA', 'signature', trusted(server, progress), error);
  if (UNKNOWN_AUTHORITY.includes(errno)) return unknownAuthority(error, server, progress);
  if (UNUSABLE_CERTIFICATES.includes(errno)) {
    const why = error instanceof Error ? error.message.slice(0, MAX_REASON_LENGTH) : errno;
    return new Failure('TLS_FAILED', 'certificate', { ...server, why, errno }, error);
  }
  const isTls = errno.startsWith('ERR_SSL') || errno.startsWith('ERR_TLS') || errno === 'EPROTO';
  return isTls ? handshakeFailure(error, errno, server, progress) : undefined;
}

function handshakeFailure(
  error: unknown,
  errno: string,
  server: ServerFacts,
  { keysAgreed, server: { host, clientCertificate } }: ConnectionProgress,
): Failure {
  const { alert, text } = reasonOf(error, errno);
  const facts = { ...server, why: text };
  if (clientCertificate !== undefined) {
    if (alert === CERTIFICATE_UNKNOWN) return new Failure('CREDENTIALS_REFUSED', 'certificate', facts, error);
    if (CERTIFICATE_ALERTS.includes(alert ?? 0)) return new Failure('TLS_FAILED', 'refusedCertificate', facts, error);
  }
  // With TLS 1.2 the server's certificate arrives before the keys are agreed, and the client's after it. So a refusal
  // after the keys can't be about ciphers.
  const missesCertificate = alert === HANDSHAKE_FAILURE && keysAgreed;
  if (missesCertificate || CERTIFICATE_ALERTS.includes(alert ?? 0)) {
    return new Failure('TLS_FAILED', 'clientCertificate', facts, error);
  }
  if (alert === PROTOCOL_VERSION || OLD_VERSION.test(text))
    return new Failure('TLS_FAILED', 'oldVersion', facts, error);
  if (alert === HANDSHAKE_FAILURE || alert === INSUFFICIENT_SECURITY) {
    return new Failure('TLS_FAILED', 'noCipher', facts, error);
  }
  if (alert === UNRECOGNIZED_NAME) return new Failure('TLS_FAILED', 'unknownName', { ...facts, host }, error);
  if (TOO_WEAK.test(text)) return new Failure('TLS_FAILED', 'weakKey', facts, error);
  if (alert === undefined && !keysAgreed && NOT_TLS.test(text))
    return new Failure('TLS_FAILED', 'notTls', facts, error);
  return new Failure('TLS_FAILED', 'handshake', facts, error);
}

/** Facts about the trusted authorities. */
const trusted = (server: ServerFacts, { server: { ca } }: ConnectionProgress) => ({
  ...server,
  authorities: ca?.from ?? '',
  unused: ca?.unused ?? '',
});

/** Whether this device trusts the certificate itself. */
function isTrusted({ der }: ShownCertificate, { server: { ca } }: ConnectionProgress): boolean {
  const list = ca?.pem ?? process.getBuiltinModule('node:tls').rootCertificates.join('');
  return list.replaceAll(/\s/g, '').includes(der);
}

/** What has expired: the server's own certificate, one that it sends with it, or an authority that is trusted here. */
function expired(error: unknown, server: ServerFacts, progress: ConnectionProgress): Failure {
  const over = progress.chain.filter(({ validTo }) => validTo < Date.now());
  const [first] = over;
  if (first === undefined || first === progress.chain[0]) {
    return new Failure('TLS_EXPIRED', 'certificate', server, error);
  }
  const authority = over.find((one) => isTrusted(one, progress));
  const { name, validTo } = authority ?? first;
  const facts = { ...trusted(server, progress), name, day: new Date(validTo).toISOString().slice(0, 10) };
  return new Failure('TLS_EXPIRED', authority === undefined ? 'intermediate' : 'authority', facts, error);
}

function unknownAuthority(error: unknown, server: ServerFacts, progress: ConnectionProgress): Failure {
  const [leaf] = progress.chain;
  const facts = { ...trusted(server, progress), name: progress.chain.at(-1)?.issuer ?? 'no name' };
  if (leaf !== undefined && isTrusted(leaf, progress))
    return new Failure('TLS_UNKNOWN_CA', 'ownCertificate', facts, error);
  const situation = progress.chain.length > 1 ? 'issuer' : 'issuerNotSent';
  return new Failure('TLS_UNKNOWN_CA', situation, facts, error);
}
