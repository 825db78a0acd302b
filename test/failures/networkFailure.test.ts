import { describe, expect, it } from 'vitest';
import { FAILURES, type FailureCode } from '../../src/failures/catalogue.ts';
import { closedFailure, networkFailure, notMqttFailure, timeoutFailure } from '../../src/failures/networkFailure.ts';
import { operationServer, provisioningServer } from '../../src/failures/serverFacts.ts';

const ADDRESS = { host: 'tb.test', port: 1883 };
const SERVER = provisioningServer(ADDRESS);
const PLAIN = { server: { ...ADDRESS, useSsl: false }, stage: 'open', keysAgreed: false, chain: [] } as const;
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
    const failure = networkFailure(cause, SERVER, PLAIN);
    expect(failure.code).toBe(expected);
    expect(FAILURES[expected].retryable).toBe(retryable);
    expect(failure.message).toContain('tb.test:1883');
    expect(failure.cause).toBe(cause);
  });

  it.each([
    [['ENETUNREACH', 'ECONNREFUSED'], 'CONNECTION_REFUSED'],
    [['ECONNREFUSED', 'EHOSTUNREACH'], 'CONNECTION_REFUSED'],
    [['ETIMEDOUT', 'ENETUNREACH', 'ECONNREFUSED'], 'CONNECTION_REFUSED'],
    [['ENETUNREACH', 'ETIMEDOUT'], 'CONNECT_TIMEOUT'],
    [['ENETUNREACH', 'EHOSTUNREACH'], 'HOST_UNREACHABLE'],
  ])('of the addresses with %j uses the one that got furthest: %s', (codes, expected) => {
    const error = Object.assign(new AggregateError(codes.map(withCode)), { code: codes[0] });
    expect(networkFailure(error, SERVER, PLAIN).code).toBe(expected);
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
    expect(networkFailure(error, SERVER, PLAIN).code).toBe(code);
  });

  it('reports a missing reason', () => {
    expect(networkFailure(new Error('odd'), SERVER, PLAIN).message).toBe(
      'The connection to tb.test:1883 failed (no reason given)',
    );
  });

  it.each(['ECONNRESET', 'EMFILE'])('has a hint for %s that fits the stage of the connection', (code) => {
    const operation = operationServer(ADDRESS);
    const port = code === 'EMFILE' ? /^Check cable/ : /\.port and use_ssl in /;
    expect(networkFailure(withCode(code), SERVER, PLAIN).hint).toMatch(port);
    expect(networkFailure(withCode(code), SERVER, PLAIN).hint).toMatch(/The next boot tries again\.$/);
    expect(networkFailure(withCode(code), SERVER, 'asked').hint).toMatch(/^Check cable/);
    expect(networkFailure(withCode(code), operation, PLAIN).hint).toMatch(/The client tries again by itself\.$/);
    expect(networkFailure(withCode(code), operation, 'session').hint).toContain('another client');
  });

  it.each([
    ['EINVAL', 'HOST_UNREACHABLE'],
    ['EAFNOSUPPORT', 'HOST_UNREACHABLE'],
    ['EHOSTDOWN', 'HOST_UNREACHABLE'],
    ['EAI_MEMORY', 'HOST_NOT_FOUND'],
  ])('knows %s as %s', (code, expected) => {
    expect(networkFailure(withCode(code), SERVER, PLAIN).code).toBe(expected);
  });

  it('calls a broken TLS record in an open session a lost connection, not a failed handshake', () => {
    expect(networkFailure(withCode('ERR_SSL_BAD_RECORD_MAC'), SERVER, 'asked').code).toBe('CONNECTION_LOST');
  });
});

describe('closedFailure, before the server accepts the login', () => {
  const over = (useSsl: boolean, keysAgreed: boolean) =>
    closedFailure(SERVER, { ...PLAIN, server: { ...ADDRESS, useSsl }, keysAgreed });

  it('without TLS has a hint about a TLS port', () => {
    expect(over(false, false)).toMatchObject({
      code: 'CONNECTION_LOST',
      hint: expect.stringMatching(/use_ssl is false, and a TLS port/),
    });
  });

  it('before an answer in TLS points to a port without TLS, and after it to a client certificate', () => {
    expect(over(true, false).message).toMatch(/as a port without TLS does$/);
    expect(over(true, false).hint).toContain("the server's TLS port");
    expect(over(true, true).hint).toMatch(
      /may demand a client certificate\. The agent provisions without a client certificate/,
    );
  });
});

describe('timeoutFailure', () => {
  it.each([
    ['lookup', 'HOST_NOT_FOUND', 'the name server does not answer within 2.5 s'],
    ['tcp', 'CONNECT_TIMEOUT', 'the host does not answer'],
    ['handshake', 'CONNECT_TIMEOUT', 'the TLS handshake did not end within 2.5 s'],
    ['open', 'ANSWER_TIMEOUT', 'did not accept the MQTT connection within 2.5 s'],
  ] as const)('in the stage %s is %s', (stage, code, says) => {
    const failure = timeoutFailure(SERVER, { ...PLAIN, stage }, 2500);
    expect(failure.code).toBe(code);
    expect(failure.message).toContain(says);
  });
});

describe('notMqttFailure', () => {
  it.each([
    ['HTTP/1.1 400 Bad Request', 'answers in HTTP, not in MQTT'],
    ['\x15\x03\x03\0\x02\x02\x0a', 'answers in TLS, but use_ssl is false'],
    ['\x16\x03\x03\0\x02', 'answers in TLS, but use_ssl is false'],
    ['SSH-2.0-OpenSSH_9.2', 'answers, but not in MQTT'],
    ['\x15\x04', 'answers, but not in MQTT'],
    ['', 'answers, but not in MQTT'],
  ])('names the protocol of %j', (bytes, says) => {
    expect(notMqttFailure(SERVER, Buffer.from(bytes, 'latin1')).message).toBe(`tb.test:1883 ${says}`);
  });
});
