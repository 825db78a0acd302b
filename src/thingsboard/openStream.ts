import { connect as connectTcp, isIP, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { ServerEndpoint } from '../endpoint.ts';
import type { ConnectionProgress } from '../failures/connectionProgress.ts';
import { shownChain } from './shownChain.ts';

/** Node's default is 250 ms per address, which is less than one round trip on a slow mobile network. */
const ATTEMPT_PER_ADDRESS_MS = 3000;

/** A TCP or TLS stream to a server. */
export interface ServerStream {
  readonly socket: Socket;
  /** The progress so far. */
  progress(): ConnectionProgress;
}

/**
 * Opens the TCP or TLS stream to a server. Every connection of the agent and of `doctor` is made here. Certificates are
 * always verified. An IP address is not sent as the TLS server name (RFC 6066, section 3), but it is checked against
 * the certificate.
 */
export function openStream(server: ServerEndpoint): ServerStream {
  const { host, port, useSsl } = server;
  let progress: ConnectionProgress = {
    server,
    stage: isIP(host) === 0 ? 'lookup' : 'tcp',
    keysAgreed: false,
    chain: [],
  };
  const note = (more: Partial<ConnectionProgress>): void => {
    progress = { ...progress, ...more };
  };
  const tcp = { host, port, autoSelectFamily: true, autoSelectFamilyAttemptTimeout: ATTEMPT_PER_ADDRESS_MS };
  const socket = useSsl ? openTls(server, tcp, note) : connectTcp({ ...tcp, noDelay: true });
  socket.once('lookup', () => note({ stage: 'tcp' }));
  socket.once('connect', () => note({ stage: useSsl ? 'handshake' : 'open' }));
  return { socket, progress: () => progress };
}

function openTls(
  { host, ca, clientCertificate }: ServerEndpoint,
  tcp: { readonly host: string; readonly port: number },
  note: (more: Partial<ConnectionProgress>) => void,
): TLSSocket {
  // Loaded only for TLS: the module takes 1.6 MB on Node 24.
  const { connect: connectTls } = process.getBuiltinModule('node:tls');
  const socket = connectTls({
    ...tcp,
    servername: isIP(host) === 0 ? host : '',
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2',
    ...(ca?.pem === undefined ? {} : { ca: ca.pem }),
    ...(clientCertificate === undefined ? {} : { cert: clientCertificate.cert, key: clientCertificate.key.reveal() }),
  });
  socket.setNoDelay(true);
  // Only after 'connect', because the next address gets a new handle, which would not report keys. The keys are ignored.
  socket.once('connect', () => socket.once('keylog', () => note({ keysAgreed: true })));
  // Node emits 'secure' at the end of the handshake, before it verifies the certificate. A refused certificate destroys
  // the socket, and then the chain can't be read any more.
  socket.prependOnceListener('secure', () => note({ chain: shownChain(socket.getPeerCertificate(true)) }));
  socket.once('secureConnect', () => note({ stage: 'open' }));
  return socket;
}
