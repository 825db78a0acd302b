import { once } from 'node:events';
import { isIP } from 'node:net';
import { connect, type DetailedPeerCertificate, type TLSSocket } from 'node:tls';
import { formatDistanceStrict } from 'date-fns/formatDistanceStrict';
import type { ServerEndpoint } from '../endpoint.ts';
import { Failure } from '../failures/failure.ts';
import { networkFailure } from '../failures/networkFailure.ts';
import { provisioningServer, type ServerFacts } from '../failures/serverFacts.ts';
import { LATE, within } from '../time/within.ts';
import { type Checked, type Finding, failed, passed, warning } from './check.ts';

const MAX_CHAIN = 5;
const MAX_NAME_LENGTH = 100;
const SOON_MS = 30 * 24 * 3600 * 1000;

/** A name in a certificate. An attribute may occur more than once. */
function nameOf(entity: DetailedPeerCertificate['subject'] | undefined): string {
  const { CN, O } = entity ?? {};
  return String(CN ?? O ?? 'no name').slice(0, MAX_NAME_LENGTH);
}

/** The certificates that the server sent, its own first. In Node a root certificate is its own issuer. */
function chainOf(leaf: DetailedPeerCertificate): readonly DetailedPeerCertificate[] {
  const chain: DetailedPeerCertificate[] = [];
  let next: DetailedPeerCertificate | undefined = leaf;
  while (next?.fingerprint256 !== undefined && chain.length < MAX_CHAIN) {
    if (chain.some(({ fingerprint256 }) => fingerprint256 === next?.fingerprint256)) break;
    chain.push(next);
    next = next.issuerCertificate;
  }
  return chain;
}

const day = (time: string): string => new Date(time).toISOString().slice(0, 10);

function describe(chain: readonly DetailedPeerCertificate[]): string {
  const [leaf] = chain;
  if (leaf === undefined) return 'the server sent no certificate';
  const issuers = [...chain.slice(1).map(({ subject }) => nameOf(subject)), nameOf(chain.at(-1)?.issuer)];
  const path = issuers.filter((name, index) => name !== issuers[index - 1]).join(' ← ');
  return `certificate of ${nameOf(leaf.subject)}, issued by ${path}, valid ${day(leaf.valid_from)} to ${day(leaf.valid_to)}`;
}

/** A warning for the certificate of the chain that expires first, if it expires soon. */
function expiry(chain: readonly DetailedPeerCertificate[], now: number): Finding[] {
  const ends = chain.map((one) => ({ name: nameOf(one.subject), end: Date.parse(one.valid_to) }));
  const first = ends.sort((a, b) => a.end - b.end)[0];
  if (first === undefined || first.end - now > SOON_MS) return [];
  const when = formatDistanceStrict(first.end, now, { addSuffix: true });
  return [
    warning(
      `the certificate of ${first.name} expires ${when}`,
      'Renew the certificate on the server before that date.',
    ),
  ];
}

function assess(socket: TLSSocket, server: ServerFacts, now: number): Checked<true> {
  const chain = chainOf(socket.getPeerCertificate(true));
  if (socket.authorized) {
    const trusted = passed(`${socket.getProtocol() ?? 'TLS'}, ${describe(chain)}`);
    return { fact: true, findings: [trusted, ...expiry(chain, now)] };
  }
  // The type says Error, but Node sets the error's code (documentation of tls.TLSSocket, authorizationError).
  const code = String(socket.authorizationError);
  const refusal = failed(networkFailure(Object.assign(new Error(code), { code }), server));
  return { findings: [{ ...refusal, message: `${refusal.message}; ${describe(chain)}` }] };
}

/**
 * Checks the server's certificate chain: issuers, dates and trust. To show a refused chain too, the handshake continues
 * after a failed verification. Nothing is sent on this connection, and the verdict is the result of the verification.
 * @param limitMs ms @param now ms since the epoch
 */
export async function checkTlsConnection(server: ServerEndpoint, limitMs: number, now: number): Promise<Checked<true>> {
  const facts = provisioningServer(server);
  const tcp = { host: server.host, port: server.port, autoSelectFamily: true };
  const socket = connect({
    ...tcp,
    servername: isIP(server.host) === 0 ? server.host : '',
    minVersion: 'TLSv1.2',
    rejectUnauthorized: false,
    ...(server.ca === undefined ? {} : { ca: server.ca }),
  });
  // Ignores an error after the verdict.
  socket.on('error', () => {});
  try {
    const secured = await within(limitMs, once(socket, 'secureConnect')).catch((error: unknown) => {
      throw networkFailure(error, facts);
    });
    if (secured === LATE) throw new Failure('CONNECT_TIMEOUT', 'noHandshake', { ...facts, seconds: limitMs / 1000 });
    return assess(socket, facts, now);
  } finally {
    socket.destroy();
  }
}
