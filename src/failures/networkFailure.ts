import { Failure } from './failure.ts';
import { errnoOf } from './fileFailure.ts';
import type { ServerFacts } from './serverFacts.ts';

type NetworkCode = 'HOST_NOT_FOUND' | 'CONNECTION_REFUSED' | 'HOST_UNREACHABLE' | 'CONNECT_TIMEOUT' | 'CONNECTION_LOST';
type CertificateCode = 'TLS_UNKNOWN_CA' | 'TLS_WRONG_HOST' | 'TLS_EXPIRED' | 'TLS_NOT_YET_VALID';

const SYSTEM_ERRORS: Readonly<Record<string, readonly [NetworkCode, string]>> = {
  ENOTFOUND: ['HOST_NOT_FOUND', "the host name can't be resolved"],
  EAI_FAIL: ['HOST_NOT_FOUND', 'the name server refuses to resolve the host name'],
  EAI_AGAIN: ['HOST_NOT_FOUND', 'the name server does not answer'],
  ENODATA: ['HOST_NOT_FOUND', 'the host name has no address'],
  ECONNREFUSED: ['CONNECTION_REFUSED', 'nothing listens on that port'],
  EHOSTUNREACH: ['HOST_UNREACHABLE', 'no route to the host'],
  ENETUNREACH: ['HOST_UNREACHABLE', 'no network'],
  EADDRNOTAVAIL: ['HOST_UNREACHABLE', 'this device has no address of that kind'],
  ENETDOWN: ['HOST_UNREACHABLE', 'the network is down'],
  EACCES: ['HOST_UNREACHABLE', 'a firewall on this device forbids it'],
  EPERM: ['HOST_UNREACHABLE', 'a firewall on this device forbids it'],
  ETIMEDOUT: ['CONNECT_TIMEOUT', 'no answer from the host'],
  ECONNRESET: ['CONNECTION_LOST', 'the connection was reset'],
  EPIPE: ['CONNECTION_LOST', 'the connection was closed'],
  ECONNABORTED: ['CONNECTION_LOST', 'the connection was aborted'],
};

const CERTIFICATE_ERRORS: Readonly<Record<string, readonly [CertificateCode, string]>> = {
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: ['TLS_UNKNOWN_CA', 'its certificate authority is unknown here'],
  UNABLE_TO_GET_ISSUER_CERT: ['TLS_UNKNOWN_CA', 'its certificate authority is unknown here'],
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: ['TLS_UNKNOWN_CA', 'its certificate authority is unknown here'],
  SELF_SIGNED_CERT_IN_CHAIN: ['TLS_UNKNOWN_CA', 'its certificate authority is unknown here'],
  DEPTH_ZERO_SELF_SIGNED_CERT: ['TLS_UNKNOWN_CA', 'its certificate is self-signed'],
  CERT_UNTRUSTED: ['TLS_UNKNOWN_CA', 'its certificate authority is not trusted'],
  CERT_SIGNATURE_FAILURE: ['TLS_UNKNOWN_CA', 'its certificate was not signed by the expected authority'],
  ERR_TLS_CERT_ALTNAME_INVALID: ['TLS_WRONG_HOST', 'its certificate was issued for another host'],
  CERT_HAS_EXPIRED: ['TLS_EXPIRED', 'its certificate has expired'],
  CERT_NOT_YET_VALID: ['TLS_NOT_YET_VALID', 'its certificate is not valid yet'],
};

/** Errors of certificates that no CA file makes valid, by the names in Node's TLS. */
const UNUSABLE_CERTIFICATES: readonly string[] = [
  'INVALID_CA',
  'INVALID_PURPOSE',
  'PATH_LENGTH_EXCEEDED',
  'CERT_CHAIN_TOO_LONG',
  'CERT_REJECTED',
  'CERT_REVOKED',
  'UNSPECIFIED',
];

/** With several addresses Node reports one error for each address. The first one is used. */
function rootOf(error: unknown): unknown {
  return error instanceof AggregateError && error.errors.length > 0 ? error.errors[0] : error;
}

/** Progress of the connection: not open yet, waiting for an answer, or in a session of normal operation. */
type Stage = 'connecting' | 'asked' | 'session';

const LOST = { connecting: 'connecting', asked: 'answerLost', session: 'sessionLost' } as const;
const FAILED = { connecting: 'failed', asked: 'answerFailed', session: 'sessionFailed' } as const;

/** Turns an error of the socket or of TLS into a failure. */
export function networkFailure(error: unknown, server: ServerFacts, stage: Stage = 'connecting'): Failure {
  const errno = errnoOf(rootOf(error)) ?? errnoOf(error) ?? 'no reason given';
  const facts = { ...server, errno };
  const certificate = CERTIFICATE_ERRORS[errno];
  if (certificate !== undefined) {
    const [code, why] = certificate;
    return new Failure(code, 'certificate', { ...facts, why }, error);
  }
  if (UNUSABLE_CERTIFICATES.includes(errno)) return new Failure('TLS_FAILED', 'certificate', facts, error);
  const system = SYSTEM_ERRORS[errno];
  if (system !== undefined) {
    const [code, why] = system;
    if (code === 'CONNECTION_LOST') return new Failure(code, LOST[stage], { ...facts, why }, error);
    return new Failure(code, 'connecting', { ...facts, why }, error);
  }
  if (errno.startsWith('ERR_SSL') || errno.startsWith('ERR_TLS') || errno === 'EPROTO') {
    return new Failure('TLS_FAILED', 'handshake', facts, error);
  }
  return new Failure('CONNECTION_LOST', FAILED[stage], facts, error);
}
