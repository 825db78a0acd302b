import type { ProvisionSettings } from '../config/provision/provisionJson.ts';
import { isOwnProxy } from '../config/provision/proxySettings.ts';
import { shownProxy } from '../endpoint.ts';
import { type Checked, passed, warning } from './check.ts';

const HINT =
  'A service does not have the variables of this shell: set them in its unit (EnvironmentFile=), or name the proxy in provisioning.proxy.';

/** Shows the way to the server: through which proxy, and who named it. */
export async function checkProxy({ host, proxy, exceptedFromProxy }: ProvisionSettings): Promise<Checked<true>> {
  const fromShell = warning('the way depends on the environment variables of this shell', HINT);
  if (proxy !== undefined) {
    const way = passed(`${shownProxy(proxy)}, named by ${proxy.from}`);
    return { fact: true, findings: isOwnProxy(proxy) ? [way] : [way, fromShell] };
  }
  if (exceptedFromProxy === undefined) return { fact: true, findings: [passed('none: a direct connection')] };
  const excepted = passed(`none: no_proxy excepts ${host} from the proxy of ${exceptedFromProxy}`);
  return { fact: true, findings: [excepted, fromShell] };
}
