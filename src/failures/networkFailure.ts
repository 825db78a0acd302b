import type { ConnectionProgress } from './connectionProgress.ts';
import { Failure } from './failure.ts';
import { errnoOf } from './fileFailure.ts';
import { isOnProxysPart, proxyClosed, proxyFailure, proxyTimeout } from './proxyFailure.ts';
import type { ServerFacts } from './serverFacts.ts';
import { tlsFailure } from './tlsFailure.ts';

type NetworkCode = 'HOST_NOT_FOUND' | 'CONNECTION_REFUSED' | 'HOST_UNREACHABLE' | 'CONNECT_TIMEOUT' | 'CONNECTION_LOST';

const SYSTEM_ERRORS: Readonly<Record<string, readonly [NetworkCode, string]>> = {
  ENOTFOUND: ['HOST_NOT_FOUND', "the host name can't be resolved"],
  EAI_FAIL: ['HOST_NOT_FOUND', 'the name server refuses to resolve the host name'],
  EAI_AGAIN: ['HOST_NOT_FOUND', 'no name server answers, or it reports a temporary failure'],
  ENODATA: ['HOST_NOT_FOUND', 'the host name has no address'],
  ECONNREFUSED: ['CONNECTION_REFUSED', 'nothing listens on that port'],
  EHOSTUNREACH: ['HOST_UNREACHABLE', 'no route to the host'],
  EHOSTDOWN: ['HOST_UNREACHABLE', 'the host does not answer in its network'],
  ENETUNREACH: ['HOST_UNREACHABLE', 'no network'],
  EADDRNOTAVAIL: ['HOST_UNREACHABLE', 'this device has no address of that kind'],
  EAFNOSUPPORT: ['HOST_UNREACHABLE', 'this device does not support addresses of that kind'],
  EINVAL: ['HOST_UNREACHABLE', 'the route leads nowhere, or a link-local address has no interface (fe80::1%eth0)'],
  ENETDOWN: ['HOST_UNREACHABLE', 'the network is down'],
  EACCES: ['HOST_UNREACHABLE', 'a firewall on this device forbids it'],
  EPERM: ['HOST_UNREACHABLE', 'a firewall on this device forbids it'],
  ETIMEDOUT: ['CONNECT_TIMEOUT', 'no answer from the host'],
  ECONNRESET: ['CONNECTION_LOST', 'the connection was reset'],
  EPIPE: ['CONNECTION_LOST', 'the connection was closed'],
  ECONNABORTED: ['CONNECTION_LOST', 'the connection was aborted'],
};

/** With several addresses: the codes that say less than another address's error. */
const LESS_TELLING: readonly (readonly string[])[] = [['HOST_UNREACHABLE', 'CONNECT_TIMEOUT'], ['HOST_UNREACHABLE']];

/**
 * With several addresses Node reports one error for each. On a device without IPv6 the IPv6 address is always
 * unreachable, so the error of the address that got furthest is used, otherwise the first one.
 */
function rootOf(error: unknown): unknown {
  if (!(error instanceof AggregateError)) return error;
  const errors: readonly unknown[] = error.errors;
  for (const less of LESS_TELLING) {
    const telling = errors.find((one) => !less.includes(SYSTEM_ERRORS[errnoOf(one) ?? '']?.[0] ?? ''));
    if (telling !== undefined) return telling;
  }
  return errors[0] ?? error;
}

const LOOKUP_ERROR: readonly [NetworkCode, string] = ['HOST_NOT_FOUND', "the host name can't be resolved"];

const LOST = { asked: 'answerLost', session: 'sessionLost' } as const;
const FAILED = { asked: 'answerFailed', session: 'sessionFailed' } as const;

/** Turns an error of the socket or of TLS into a failure. @param stage until CONNACK the progress of the connection */
export function networkFailure(
  error: unknown,
  server: ServerFacts,
  stage: ConnectionProgress | 'asked' | 'session',
): Failure {
  const root = rootOf(error);
  const errno = errnoOf(root) ?? errnoOf(error) ?? 'no reason given';
  const facts = { ...server, errno };
  const system = SYSTEM_ERRORS[errno] ?? (errno.startsWith('EAI_') ? LOOKUP_ERROR : undefined);
  if (typeof stage !== 'string' && isOnProxysPart(stage)) {
    return proxyFailure(root, errno, system?.[1], server, stage);
  }
  if (system === undefined) {
    if (typeof stage === 'string') return new Failure('CONNECTION_LOST', FAILED[stage], facts, error);
    return tlsFailure(root, errno, server, stage) ?? new Failure('CONNECTION_LOST', 'failed', facts, error);
  }
  const [code, why] = system;
  if (code !== 'CONNECTION_LOST') return new Failure(code, 'connecting', { ...facts, why }, error);
  if (typeof stage === 'string') return new Failure(code, LOST[stage], { ...facts, why }, error);
  if (stage.server.useSsl) return closedFailure(server, stage, error);
  return new Failure(code, 'connecting', { ...facts, why }, error);
}

/** The server closed the connection before it accepted the login. */
export function closedFailure(server: ServerFacts, progress: ConnectionProgress, cause?: unknown): Failure {
  if (isOnProxysPart(progress)) return proxyClosed(server, progress, cause);
  const inTls = progress.keysAgreed ? 'closedInTls' : 'closedBeforeTls';
  return new Failure('CONNECTION_LOST', progress.server.useSsl ? inTls : 'closed', server, cause);
}

/** The server did not accept the login in time. @param limitMs ms */
export function timeoutFailure(server: ServerFacts, progress: ConnectionProgress, limitMs: number): Failure {
  const { stage } = progress;
  const facts = { ...server, seconds: Math.round(limitMs / 100) / 10 };
  if (isOnProxysPart(progress)) return proxyTimeout(facts, progress);
  switch (stage) {
    case 'name':
    case 'lookup':
      return new Failure('HOST_NOT_FOUND', 'nameServerSilent', facts);
    case 'tcp':
      return new Failure('CONNECT_TIMEOUT', 'noAnswer', facts);
    case 'handshake':
      return new Failure('CONNECT_TIMEOUT', 'noHandshake', facts);
    case 'proxy':
    case 'open':
      return new Failure('ANSWER_TIMEOUT', 'notAccepted', facts);
  }
}

/** RFC 8446, section 5.1: a record begins with its type (21: alert, 22: handshake) and version 3.x. */
const isTls = (bytes: Buffer): boolean => (bytes[0] === 21 || bytes[0] === 22) && bytes[1] === 3;

/** The server sent something other than MQTT. @param received its first bytes */
export function notMqttFailure(server: ServerFacts, received: Buffer, cause?: unknown): Failure {
  if (received.toString('latin1', 0, 5) === 'HTTP/') return new Failure('NOT_MQTT', 'http', server, cause);
  return new Failure('NOT_MQTT', isTls(received) ? 'tls' : 'notMqtt', server, cause);
}
