import { hostAndPort, type ProxyServer, shownProxy } from '../endpoint.ts';
import type { FailureReason } from './catalogue.ts';
import type { ConnectionProgress } from './connectionProgress.ts';
import { Failure } from './failure.ts';
import type { ServerFacts } from './serverFacts.ts';

type CodeAndSituation<Reason> = Reason extends FailureReason ? readonly [Reason['code'], Reason['situation']] : never;

/** Code and situation of what a proxy answers, or another service at its address. */
export type Refusal = CodeAndSituation<
  Extract<
    FailureReason,
    | { readonly code: 'PROXY_LOGIN_REFUSED' | 'PROXY_FORBIDS' | 'PROXY_TARGET_UNREACHABLE' | 'NOT_A_PROXY' }
    | { readonly situation: 'closed'; readonly code: 'PROXY_UNREACHABLE' }
  >
>;

/** The proxy has answered, and opens no way to the server. The message is what it said, in words. */
export interface ProxyRefusal extends Error {
  /** By a code that is a text, errors of sockets are told from errors of MQTT. */
  readonly code: 'ERR_PROXY';
  readonly refusal: Refusal;
}

const isRefusal = (error: unknown): error is ProxyRefusal =>
  error instanceof Error && 'refusal' in error && 'code' in error && error.code === 'ERR_PROXY';

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
  const facts = {
    ...factsOf(server, progress),
    errno,
    why: why ?? errno,
    answer: error instanceof Error ? error.message : '',
  };
  if (isRefusal(error)) return new Failure(...error.refusal, facts, error);
  if (progress.stage === 'proxy') return proxyClosed(server, progress, error);
  return new Failure('PROXY_UNREACHABLE', 'connecting', facts, error);
}

/** The proxy closed the connection before it opened the way. */
export const proxyClosed = (server: ServerFacts, progress: AtProxy, cause?: unknown): Failure =>
  new Failure('PROXY_UNREACHABLE', 'closed', factsOf(server, progress), cause);

/** The proxy did not open the way in time. */
export function proxyTimeout(server: ServerFacts & { readonly seconds: number }, progress: AtProxy): Failure {
  const facts = { ...factsOf(server, progress), seconds: server.seconds };
  return new Failure('PROXY_UNREACHABLE', progress.stage === 'proxy' ? 'silent' : 'noAnswer', facts);
}
