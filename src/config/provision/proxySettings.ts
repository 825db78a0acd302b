/** The way to the server in provision.json and in the environment. */

import type { ProxyServer } from '../../endpoint.ts';
import { Failure } from '../../failures/failure.ts';
import type { Secret } from '../../secret.ts';
import { environmentWay } from '../proxy/environmentProxy.ts';
import { PROXY_EXPECTED, readProxyUrl } from '../proxy/proxyUrl.ts';
import type { VariableProxy } from '../proxy/proxyVariables.ts';

const FROM = 'provisioning.proxy in provision.json';

/** The settings that say how the server is reached. */
export interface WaySettings {
  readonly host: string;
  readonly port: number;
  /** The way to the server; undefined: a direct connection. */
  readonly proxy?: ProxyServer;
  /** The environment's variable with a proxy from which `no_proxy` excepts this server. */
  readonly exceptedFromProxy?: string;
}

/** What is wrong with the text of the setting; undefined: nothing. */
export function proxyProblem(text: string): string | undefined {
  const read = readProxyUrl(text, FROM);
  return 'problem' in read ? read.problem : undefined;
}

export function proxyOf(url: string | undefined): { readonly proxy?: ProxyServer } {
  const read = url === undefined ? undefined : readProxyUrl(url, FROM);
  return read === undefined || 'problem' in read ? {} : { proxy: read };
}

/** Whether provision.json itself names the proxy. */
export const isOwnProxy = (proxy: ProxyServer): boolean => proxy.from === FROM;

/** The proxy that thermal_config.json gets. One of the environment is not written: `start` has an environment too. */
export const writtenProxy = ({ proxy }: Pick<WaySettings, 'proxy'>): Secret | null =>
  proxy !== undefined && isOwnProxy(proxy) ? proxy.url : null;

/**
 * Adds the proxy of the environment, if the file names none.
 * @param path of the file, for messages
 * @throws Failure PROVISION_JSON_INVALID
 */
export async function withEnvironmentProxy<Settings extends WaySettings>(
  settings: Settings,
  named: VariableProxy | undefined,
  path: string,
): Promise<Settings> {
  if (settings.proxy !== undefined || named === undefined) return settings;
  const way = await environmentWay(named, settings);
  if ('proxy' in way) return { ...settings, proxy: way.proxy };
  if ('exceptedFrom' in way) return { ...settings, exceptedFromProxy: way.exceptedFrom };
  const problems = [`${way.variable}: found ${way.problem}, expected ${PROXY_EXPECTED}`];
  throw new Failure('PROVISION_JSON_INVALID', 'oneProblem', { path, problems });
}
