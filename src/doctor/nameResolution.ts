import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { resolvesNames, type ServerEndpoint } from '../endpoint.ts';
import type { ConnectionProgress } from '../failures/connectionProgress.ts';
import { networkFailure, timeoutFailure } from '../failures/networkFailure.ts';
import { provisioningServer } from '../failures/serverFacts.ts';
import { LATE, within } from '../time/within.ts';
import { type Checked, passed, skipped } from './check.ts';

const MAX_SHOWN = 4;

/**
 * Looks up the server's addresses as a connection does; most proxies do this themselves. The fact, the server, has at least one.
 * @param limitMs a run's limit for one exchange, ms
 */
export async function checkNameResolution(server: ServerEndpoint, limitMs: number): Promise<Checked<ServerEndpoint>> {
  if (isIP(server.host) !== 0) return { fact: server, findings: [passed(`${server.host} is already an IP address`)] };
  if (server.proxy !== undefined && resolvesNames(server.proxy)) {
    return { fact: server, findings: [skipped(`not needed: the proxy resolves ${server.host}`)] };
  }
  const facts = provisioningServer(server);
  const stage = server.proxy === undefined ? 'lookup' : 'name';
  const progress: ConnectionProgress = { server, stage, keysAgreed: false, chain: [] };
  const found = await within(limitMs, lookup(server.host, { all: true })).catch((error: unknown) => {
    throw networkFailure(error, facts, progress);
  });
  if (found === LATE) throw timeoutFailure(facts, progress, limitMs);
  const shown = found.slice(0, MAX_SHOWN).map(({ address }) => address);
  const more = found.length > MAX_SHOWN ? ` and ${found.length - MAX_SHOWN} more` : '';
  return { fact: server, findings: [passed(`${server.host} resolves to ${shown.join(', ')}${more}`)] };
}
