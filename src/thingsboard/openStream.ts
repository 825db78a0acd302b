import { connect as connectTcp, isIP, type Socket } from 'node:net';
import type { ServerEndpoint } from '../endpoint.ts';

/** Node's default is 250 ms per address, which is less than one round trip on a slow mobile network. */
const ATTEMPT_PER_ADDRESS_MS = 3000;

/**
 * Opens the TCP or TLS stream to a server. Certificates are always verified. An IP address is not sent as the TLS
 * server name (RFC 6066, section 3), but it is checked against the certificate.
 */
export function openStream(endpoint: ServerEndpoint): Socket {
  const { host, port } = endpoint;
  const tcp = { host, port, autoSelectFamily: true, autoSelectFamilyAttemptTimeout: ATTEMPT_PER_ADDRESS_MS };
  if (!endpoint.useSsl) return connectTcp({ ...tcp, noDelay: true });
  // Loaded only for TLS: the module takes 1.6 MB on Node 24.
  const { connect: connectTls } = process.getBuiltinModule('node:tls');
  const socket = connectTls({
    ...tcp,
    servername: isIP(host) === 0 ? host : '',
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2',
    ...(endpoint.ca === undefined ? {} : { ca: endpoint.ca }),
  });
  socket.setNoDelay(true);
  return socket;
}
