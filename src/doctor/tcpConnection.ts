import { once } from 'node:events';
import type { ServerEndpoint } from '../endpoint.ts';
import { Failure } from '../failures/failure.ts';
import { networkFailure } from '../failures/networkFailure.ts';
import { provisioningServer } from '../failures/serverFacts.ts';
import { openStream } from '../thingsboard/openStream.ts';
import { LATE, within } from '../time/within.ts';
import { type Checked, passed } from './check.ts';

/** Checks that the server listens on its port: connects and closes the connection. @param limitMs ms */
export async function checkTcpConnection(server: ServerEndpoint, limitMs: number): Promise<Checked<true>> {
  const facts = provisioningServer(server);
  const startedAt = performance.now();
  const socket = openStream({ host: server.host, port: server.port, useSsl: false });
  // Ignores an error after the verdict.
  socket.on('error', () => {});
  try {
    const connected = await within(limitMs, once(socket, 'connect')).catch((error: unknown) => {
      throw networkFailure(error, facts);
    });
    if (connected === LATE) throw new Failure('CONNECT_TIMEOUT', 'noAnswer', { ...facts, seconds: limitMs / 1000 });
    const ms = Math.round(performance.now() - startedAt);
    const address = socket.remoteAddress ?? '';
    return { fact: true, findings: [passed(`${facts.server} accepts connections (${address}, ${ms} ms)`)] };
  } finally {
    socket.destroy();
  }
}
