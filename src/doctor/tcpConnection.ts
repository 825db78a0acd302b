import type { ServerEndpoint } from '../endpoint.ts';
import { hostAndPort } from '../endpoint.ts';
import { Failure } from '../failures/failure.ts';
import { networkFailure } from '../failures/networkFailure.ts';
import { openStream } from '../thingsboard/openStream.ts';
import { type Checked, passed } from './check.ts';

/** Whether anything listens there: connects and closes again. @param limitMs ms */
export function checkTcpConnection(server: ServerEndpoint, limitMs: number): Promise<Checked<true>> {
  return new Promise((resolve, reject) => {
    const name = hostAndPort(server);
    const startedAt = performance.now();
    const socket = openStream({ host: server.host, port: server.port, useSsl: false });
    const timer = setTimeout(() => {
      socket.destroy();
      const seconds = `${limitMs / 1000} s`;
      reject(new Failure('CONNECT_TIMEOUT', `No connection to ${name} within ${seconds}: the host does not answer`));
    }, limitMs);
    socket.once('connect', () => {
      clearTimeout(timer);
      const ms = Math.round(performance.now() - startedAt);
      const address = socket.remoteAddress ?? '';
      socket.destroy();
      resolve({ fact: true, findings: [passed(`${name} accepts connections (${address}, ${ms} ms)`)] });
    });
    socket.on('error', (error) => {
      clearTimeout(timer);
      socket.destroy();
      reject(networkFailure(error, name));
    });
  });
}
