import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { ServerEndpoint } from '../endpoint.ts';
import { Failure } from '../failures/failure.ts';
import { networkFailure } from '../failures/networkFailure.ts';
import { provisioningServer } from '../failures/serverFacts.ts';
import { LATE, within } from '../time/within.ts';
import { type Checked, passed } from './check.ts';

const MAX_SHOWN = 4;

/** Looks up the server's addresses as a connection does. The fact: at least one exists. @param limitMs ms */
export async function checkNameResolution(server: ServerEndpoint, limitMs: number): Promise<Checked<true>> {
  if (isIP(server.host) !== 0) return { fact: true, findings: [passed(`${server.host} is already an IP address`)] };
  const facts = provisioningServer(server);
  const found = await within(limitMs, lookup(server.host, { all: true })).catch((error: unknown) => {
    throw networkFailure(error, facts);
  });
  if (found === LATE) {
    throw new Failure('HOST_NOT_FOUND', 'nameServerSilent', { ...facts, seconds: limitMs / 1000 });
  }
  const shown = found.slice(0, MAX_SHOWN).map(({ address }) => address);
  const more = found.length > MAX_SHOWN ? ` and ${found.length - MAX_SHOWN} more` : '';
  return { fact: true, findings: [passed(`${server.host} resolves to ${shown.join(', ')}${more}`)] };
}
