import { hostAndPort, type ProxyServer, shownProxy } from '../endpoint.ts';
import type { ConnectionProgress } from './connectionProgress.ts';
import { Failure } from './failure.ts';
import type { ServerFacts } from './serverFacts.ts';

/** What the answer of a proxy, or of another service at its address, means. */
export type Refusal =
  | 'loginDemanded'
  | 'loginRefused'
  | 'otherLogin'
  | 'forbidden'
  | 'addressKind'
  | 'unreachable'
  | 'closed'
  | 'noConnect'
  | 'notHttp'
  | 'notSocks';

/** The proxy has answered, and opens no way to the server. */
export class ProxyRefusal extends Error {
  /** By a code that is a text, errors of sockets are told from errors of MQTT. */
  readonly code = 'ERR_PROXY';
  readonly refusal: Refusal;

  /** @param answer what the proxy said, in words */
  constructor(refusal: Refusal, answer: string) {
    super(answer);
    this.name = 'ProxyRefusal';
    this.refusal = refusal;
  }
}

/** The progress of a connection that has not passed its proxy yet. */
interface AtProxy extends ConnectionProgress {
  readonly server: ConnectionProgress['server'] & { readonly proxy: ProxyServer };
}

/** Whether a connection that ends now ends because of its proxy. */
export const isOnProxysPart = (progress: ConnectionProgress): progress is AtProxy =>
  progress.server.proxy !== undefined && ['lookup', 'tcp', 'proxy'].includes(progress.stage);

const factsOf = (server: ServerFacts, { server: { proxy, host, port } }: AtProxy) => ({
  ...server,
  target: hostAndPort({ host, port }),
  proxy: shownProxy(proxy),
  source: proxy.from,
  scheme: proxy.scheme,
});

/**
 * A failure of the connection to a proxy, or the proxy's refusal.
 * @param errno its code
 * @param why what the code means, if it is an error of the system
 */
export function proxyFailure(
  error: unknown,
  errno: string,
  why: string | undefined,
  server: ServerFacts,
  progress: AtProxy,
): Failure {
  const facts = factsOf(server, progress);
  if (error instanceof ProxyRefusal) return refusalFailure(error, facts);
  if (progress.stage === 'proxy') return proxyClosed(server, progress, error);
  return new Failure('PROXY_UNREACHABLE', 'connecting', { ...facts, errno, why: why ?? errno }, error);
}

/** The proxy closed the connection before it opened the way. */
export const proxyClosed = (server: ServerFacts, progress: AtProxy, cause?: unknown): Failure =>
  new Failure('PROXY_UNREACHABLE', 'closed', factsOf(server, progress), cause);

/** The proxy did not open the way in time. */
export function proxyTimeout(server: ServerFacts & { readonly seconds: number }, progress: AtProxy): Failure {
  const facts = { ...factsOf(server, progress), seconds: server.seconds };
  if (progress.stage === 'lookup') return new Failure('PROXY_UNREACHABLE', 'nameServerSilent', facts);
  return new Failure('PROXY_UNREACHABLE', progress.stage === 'tcp' ? 'noAnswer' : 'silent', facts);
}

function refusalFailure(error: ProxyRefusal, known: ReturnType<typeof factsOf>): Failure {
  const facts = { ...known, answer: error.message };
  switch (error.refusal) {
    case 'loginDemanded':
      return new Failure('PROXY_LOGIN_REFUSED', 'demanded', facts, error);
    case 'loginRefused':
      return new Failure('PROXY_LOGIN_REFUSED', 'refused', facts, error);
    case 'otherLogin':
      return new Failure('PROXY_LOGIN_REFUSED', 'otherKind', facts, error);
    case 'forbidden':
      return new Failure('PROXY_FORBIDS', 'forbidden', facts, error);
    case 'addressKind':
      return new Failure('PROXY_FORBIDS', 'addressKind', facts, error);
    case 'unreachable':
      return new Failure('PROXY_TARGET_UNREACHABLE', 'connecting', facts, error);
    case 'closed':
      return new Failure('PROXY_UNREACHABLE', 'closed', facts, error);
    default:
      return new Failure('NOT_A_PROXY', error.refusal, facts, error);
  }
}
