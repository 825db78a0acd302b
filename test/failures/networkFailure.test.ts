import { describe, expect, it } from 'vitest';
import { FAILURES, type FailureCode } from '../../src/failures/catalogue.ts';
import { networkFailure } from '../../src/failures/networkFailure.ts';
import { operationServer, provisioningServer } from '../../src/failures/serverFacts.ts';

const SERVER = provisioningServer({ host: 'tb.test', port: 1883 });
const withCode = (code: string): Error => Object.assign(new Error('as Node says it'), { code });

describe('networkFailure', () => {
  it.each<[string, FailureCode, boolean]>([
    ['ENOTFOUND', 'HOST_NOT_FOUND', true],
    ['EAI_AGAIN', 'HOST_NOT_FOUND', true],
    ['EAI_FAIL', 'HOST_NOT_FOUND', true],
    ['ENODATA', 'HOST_NOT_FOUND', true],
    ['ECONNREFUSED', 'CONNECTION_REFUSED', true],
    ['EHOSTUNREACH', 'HOST_UNREACHABLE', true],
    ['ENETUNREACH', 'HOST_UNREACHABLE', true],
    ['EADDRNOTAVAIL', 'HOST_UNREACHABLE', true],
    ['ENETDOWN', 'HOST_UNREACHABLE', true],
    ['EACCES', 'HOST_UNREACHABLE', true],
    ['EPERM', 'HOST_UNREACHABLE', true],
    ['ETIMEDOUT', 'CONNECT_TIMEOUT', true],
    ['ECONNRESET', 'CONNECTION_LOST', true],
    ['EPIPE', 'CONNECTION_LOST', true],
    ['ECONNABORTED', 'CONNECTION_LOST', true],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'TLS_UNKNOWN_CA', false],
    ['UNABLE_TO_GET_ISSUER_CERT', 'TLS_UNKNOWN_CA', false],
    ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'TLS_UNKNOWN_CA', false],
    ['SELF_SIGNED_CERT_IN_CHAIN', 'TLS_UNKNOWN_CA', false],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'TLS_UNKNOWN_CA', false],
    ['CERT_UNTRUSTED', 'TLS_UNKNOWN_CA', false],
    ['CERT_SIGNATURE_FAILURE', 'TLS_UNKNOWN_CA', false],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'TLS_WRONG_HOST', false],
    ['CERT_HAS_EXPIRED', 'TLS_EXPIRED', false],
    ['CERT_NOT_YET_VALID', 'TLS_NOT_YET_VALID', true],
    ['INVALID_PURPOSE', 'TLS_FAILED', false],
    ['UNSPECIFIED', 'TLS_FAILED', false],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'TLS_FAILED', false],
    ['ERR_TLS_HANDSHAKE_TIMEOUT', 'TLS_FAILED', false],
    ['EPROTO', 'TLS_FAILED', false],
    ['EMFILE', 'CONNECTION_LOST', true],
  ])('makes %s %s', (code, expected, retryable) => {
    const cause = withCode(code);
    const failure = networkFailure(cause, SERVER);
    expect(failure.code).toBe(expected);
    expect(FAILURES[expected].retryable).toBe(retryable);
    expect(failure.message).toContain('tb.test:1883');
    expect(failure.cause).toBe(cause);
  });

  it('uses the error of the first address if each address has its own', () => {
    const error = new AggregateError([withCode('EHOSTUNREACH'), withCode('ECONNREFUSED')]);
    expect(networkFailure(Object.assign(error, { code: 'ECONNREFUSED' }), SERVER).code).toBe('HOST_UNREACHABLE');
  });

  it.each([
    ['an aggregate of nothing', Object.assign(new AggregateError([]), { code: 'ETIMEDOUT' }), 'CONNECT_TIMEOUT'],
    [
      'an aggregate whose first error has no code',
      Object.assign(new AggregateError([1]), { code: 'ETIMEDOUT' }),
      'CONNECT_TIMEOUT',
    ],
    ['an error without a code', new Error('odd'), 'CONNECTION_LOST'],
    ['an error with a number for a code', Object.assign(new Error('odd'), { code: 5 }), 'CONNECTION_LOST'],
    ['no error at all', 'odd', 'CONNECTION_LOST'],
  ])('takes %s', (_what, error, code) => {
    expect(networkFailure(error, SERVER).code).toBe(code);
  });

  it('reports a missing reason', () => {
    expect(networkFailure(new Error('odd'), SERVER).message).toBe(
      'The connection to tb.test:1883 failed (no reason given)',
    );
  });

  it.each(['ECONNRESET', 'EMFILE'])('has a hint for %s that fits the stage of the connection', (code) => {
    const operation = operationServer({ host: 'tb.test', port: 1883 });
    expect(networkFailure(withCode(code), SERVER).hint).toMatch(/provisioning\.port and use_ssl .* next boot/);
    expect(networkFailure(withCode(code), SERVER, 'asked').hint).toMatch(/^Check cable/);
    expect(networkFailure(withCode(code), operation).hint).toMatch(/thingsboard\.port and use_ssl .* by itself/);
    expect(networkFailure(withCode(code), operation, 'session').hint).toContain('another client');
  });
});
