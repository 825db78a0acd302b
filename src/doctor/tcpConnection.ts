import type { ServerEndpoint } from '../endpoint.ts';
import { Failure } from '../failures/failure.ts';
import { networkFailure } from '../failures/networkFailure.ts';
import { provisioningServer } from '../failures/serverFacts.ts';
import { openStream } from '../thingsboard/openStream.ts';
import { type Checked, passed } from './check.ts';

/** Whether anything listens there: connects and closes again. @param limitMs ms */
export function checkTcpConnection(server: ServerEndpoint, limitMs: number): Promise<Checked<true>> {
  return new Promise((resolve, reject) => {
    const facts = provisioningServer(server);
    const startedAt = performance.now();
    const socket = openStream({ host: server.host, port: server.port, useSsl: false });
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new Failure('CONNECT_TIMEOUT', 'noAnswer', { ...facts, seconds: limitMs / 1000 }));
    }, limitMs);
    socket.once('connect', () => {
      clearTimeout(timer);
      const ms = Math.round(performance.now() - startedAt);
      const address = socket.remoteAddress ?? '';
      socket.destroy();
      resolve({ fact: true, findings: [passed(`${facts.server} accepts connections (${address}, ${ms} ms)`)] });
    });
    socket.on('error', (error) => {
      clearTimeout(timer);
      socket.destroy();
      reject(networkFailure(error, facts));
    });
  });
}
