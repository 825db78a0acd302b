import { hostAndPort, type ProxyServer, type ServerEndpoint } from '../../endpoint.ts';
import { Failure } from '../../failures/failure.ts';
import { PROXY_EXPECTED, readProxyUrl } from './proxyUrl.ts';
import { type VariableProxy, variableProxy } from './proxyVariables.ts';

type Environment = Readonly<Record<string, string | undefined>>;
type Address = Pick<ServerEndpoint, 'host' | 'port'>;

/** What the environment says about the way to a server. */
export type EnvironmentWay =
  /** Through this proxy. */
  | { readonly proxy: ProxyServer }
  /** Not through the proxy of this variable, because of `no_proxy`. */
  | { readonly exceptedFrom: VariableProxy['variable'] }
  /** The variable's text is not the URL of a proxy. */
  | { readonly variable: VariableProxy['variable']; readonly problem: string };

/** The way to a server by a variable, and by `no_proxy` of the process's environment. */
export async function environmentWay({ variable, text }: VariableProxy, server: Address): Promise<EnvironmentWay> {
  // Loaded only if the environment names a proxy.
  const { getProxyForUrl } = await import('proxy-from-env');
  // It would add the scheme of this URL to a proxy without one, so only its answer about no_proxy is used.
  if (getProxyForUrl(`https://${hostAndPort(server)}`) === '') return { exceptedFrom: variable };
  const read = readProxyUrl(text.includes('://') ? text : `http://${text}`, `the environment variable ${variable}`);
  return 'problem' in read ? { variable, problem: read.problem } : { proxy: read };
}

/**
 * The environment's proxy for normal operation.
 * @returns undefined: a direct connection
 * @throws Failure CONFIG_INVALID
 */
export async function environmentProxy(
  server: Address,
  env: Environment = process.env,
): Promise<ProxyServer | undefined> {
  const named = variableProxy(env);
  const way = named === undefined ? undefined : await environmentWay(named, server);
  if (way === undefined || 'exceptedFrom' in way) return undefined;
  if ('proxy' in way) return way.proxy;
  const { variable, problem } = way;
  throw new Failure('CONFIG_INVALID', 'proxyVariable', { variable, problem, expected: PROXY_EXPECTED });
}
