import { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { ServerEndpoint } from '../endpoint.ts';
import { connackFailure } from '../failures/connackFailure.ts';
import type { ConnectionProgress } from '../failures/connectionProgress.ts';
import type { Failure } from '../failures/failure.ts';
import { provisioningServer } from '../failures/serverFacts.ts';
import { exchange } from '../thingsboard/exchange.ts';
import { openStream } from '../thingsboard/openStream.ts';
import { PROVISION_USER } from '../thingsboard/topics.ts';

const CLIENT_ID = 'thermal-provision-doctor';

/** A step of a connection: what it showed, or the failure that ended the connection before. */
type Outcome<Shown> = { readonly shown: Shown } | { readonly failure: Failure };
type Step<Shown> = Promise<Outcome<Shown>>;

/** One login. The checks of TCP, TLS and MQTT each show one of its steps. */
export interface LoginAttempt {
  readonly server: ServerEndpoint;
  readonly opened: Step<{ readonly address: string; readonly ms: number }>;
  readonly secured: Step<{ readonly protocol: string }>;
  readonly accepted: Step<true>;
  progress(): ConnectionProgress;
}

/**
 * Logs in with the user of provisioning requests (docs/thingsboard.md, section 1), as a run does. It sends only CONNECT
 * and DISCONNECT. Without a request no device can be created.
 * @param limitMs a run's limit for one exchange, ms
 */
export function attemptLogin(server: ServerEndpoint, limitMs: number): LoginAttempt {
  const startedAt = performance.now();
  const stream = openStream(server);
  const { socket } = stream;
  const ended = exchange({
    server,
    stream,
    clientId: CLIENT_ID,
    username: PROVISION_USER,
    timeoutMs: limitMs,
    signal: new AbortController().signal,
  }).then((end): Outcome<true> => {
    if (end.kind === 'accepted') return { shown: true };
    if (end.kind === 'failed') return { failure: end.failure };
    return { failure: connackFailure(end.returnCode, provisioningServer(server), 'provision') };
  });
  const step = async <Shown>(event: string, show: () => Shown): Step<Shown> => {
    const happened = new Promise<{ readonly shown: Shown }>((resolve) => {
      socket.once(event, () => resolve({ shown: show() }));
    });
    // A login that has ended without this event has failed.
    const first = await Promise.race([happened, ended]);
    return 'failure' in first ? first : happened;
  };
  return {
    server,
    opened: step('connect', () => ({
      address: (socket instanceof Socket ? socket.remoteAddress : undefined) ?? '',
      ms: Math.round(performance.now() - startedAt),
    })),
    secured: step('secureConnect', () => ({
      protocol: (socket instanceof TLSSocket ? socket.getProtocol() : undefined) ?? 'TLS',
    })),
    accepted: ended,
    progress: stream.progress,
  };
}
