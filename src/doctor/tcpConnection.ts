import { hostAndPort, type ServerEndpoint, shownProxy } from '../endpoint.ts';
import { type Checked, passed } from './check.ts';
import { attemptLogin, type LoginAttempt } from './loginAttempt.ts';

/**
 * Checks that the server listens on its port. The fact is the login that this check begins.
 * @param limitMs a run's limit for one exchange, ms
 */
export async function checkTcpConnection(server: ServerEndpoint, limitMs: number): Promise<Checked<LoginAttempt>> {
  const attempt = attemptLogin(server, limitMs);
  const step = await attempt.opened;
  if ('failure' in step) throw step.failure;
  const { address, ms } = step.shown;
  const where = server.proxy === undefined ? address : `through ${shownProxy(server.proxy)}`;
  const message = `${hostAndPort(server)} accepts connections (${where}, ${ms} ms)`;
  return { fact: attempt, findings: [passed(message)] };
}
