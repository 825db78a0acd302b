import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { ServerEndpoint } from '../endpoint.ts';
import { Failure } from '../failures/failure.ts';
import { networkFailure } from '../failures/networkFailure.ts';
import { provisioningServer } from '../failures/serverFacts.ts';
import { type Checked, passed } from './check.ts';

const MAX_SHOWN = 4;

/** The server's addresses, asked for as a connection would. The fact: there is one. @param limitMs ms */
export async function checkNameResolution(server: ServerEndpoint, limitMs: number): Promise<Checked<true>> {
  if (isIP(server.host) !== 0) return { fact: true, findings: [passed(`${server.host} is an address itself`)] };
  const facts = provisioningServer(server);
  const overdue = new Failure('HOST_NOT_FOUND', 'nameServerSilent', { ...facts, seconds: limitMs / 1000 });
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(overdue), limitMs);
  });
  try {
    const found = await Promise.race([lookup(server.host, { all: true }), limit]);
    const shown = found.slice(0, MAX_SHOWN).map(({ address }) => address);
    const more = found.length > MAX_SHOWN ? ` and ${found.length - MAX_SHOWN} more` : '';
    return { fact: true, findings: [passed(`${server.host} is ${shown.join(', ')}${more}`)] };
  } catch (error) {
    throw error instanceof Failure ? error : networkFailure(error, facts);
  } finally {
    clearTimeout(timer);
  }
}
