import { connect as connectTcp, isIP, type TcpNetConnectOpts } from 'node:net';
import { type Duplex, duplexPair } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { hostAndPort, type ProxyServer, type ServerEndpoint } from '../endpoint.ts';
import type { ConnectionProgress } from '../failures/connectionProgress.ts';
import { shownChain } from './shownChain.ts';

/** Node's default is 250 ms per address, which is less than one round trip on a slow mobile network. */
const ATTEMPT_PER_ADDRESS_MS = 3000;

/** A TCP or TLS stream to a server, perhaps through a proxy. */
export interface ServerStream {
  /** Emits 'connect' when the server can be reached on it, and 'secureConnect' after the TLS handshake. */
  readonly socket: Duplex;
  /** The progress so far. */
  progress(): ConnectionProgress;
}

/**
 * Opens the TCP or TLS stream to a server. Every connection of the agent and of `doctor` is made here. Certificates are
 * always verified, also through a proxy: TLS ends at the server. An IP address is not sent as the TLS server name
 * (RFC 6066, section 3), but it is checked against the certificate.
 */
export function openStream(server: ServerEndpoint): ServerStream {
  const { host, port, proxy, useSsl } = server;
  let progress: ConnectionProgress = {
    server,
    stage: isIP(proxy?.host ?? host) === 0 ? 'lookup' : 'tcp',
    keysAgreed: false,
    chain: [],
  };
  const note = (more: Partial<ConnectionProgress>): void => {
    progress = { ...progress, ...more };
  };
  let socket: Duplex;
  if (proxy === undefined) {
    const direct = useSsl ? openTls(server, tcpTo({ host, port }), note) : connectTcp(tcpTo({ host, port }));
    direct.setNoDelay(true);
    direct.once('lookup', () => note({ stage: 'tcp' }));
    socket = direct;
  } else {
    socket = openThrough(proxy, server, note);
  }
  socket.once('connect', () => note({ stage: useSsl ? 'handshake' : 'open' }));
  return { socket, progress: () => progress };
}

const tcpTo = ({ host, port }: Pick<ServerEndpoint, 'host' | 'port'>): TcpNetConnectOpts => ({
  host,
  port,
  autoSelectFamily: true,
  autoSelectFamilyAttemptTimeout: ATTEMPT_PER_ADDRESS_MS,
});

type Note = (more: Partial<ConnectionProgress>) => void;

/**
 * Opens a stream through a proxy. The caller may write at once, as on a socket that is not connected yet: the stream
 * passes nothing on before the proxy has opened the way.
 */
function openThrough(proxy: ProxyServer, server: ServerEndpoint, note: Note): Duplex {
  const [near, far] = duplexPair({ allowHalfOpen: false });
  const socket = server.useSsl ? openTls(server, { socket: near }, note) : near;
  const toProxy = connectTcp(tcpTo(proxy)).setNoDelay(true);
  toProxy.once('lookup', () => note({ stage: 'tcp' }));
  toProxy.once('connect', () => note({ stage: 'proxy' }));
  const end = (error?: Error): void => {
    toProxy.destroy();
    socket.destroy(error);
    near.destroy();
    far.destroy();
  };
  socket.once('close', () => end());
  for (const one of [toProxy, near, far]) one.on('error', end);
  // Loaded only if a proxy is used.
  import('./proxyTunnel.ts')
    .then(({ openTunnel }) => openTunnel(toProxy, proxy, { ...server, text: hostAndPort(server) }, note))
    .then(() => {
      if (socket.destroyed) return;
      toProxy.pipe(far).pipe(toProxy);
      // The library for SOCKS emits what it has read too far in the next turn: nothing else may come before that.
      toProxy.pause();
      setImmediate(() => toProxy.resume());
      socket.emit('connect');
    })
    .catch(end);
  return socket;
}

function openTls(
  { host, ca, clientCertificate }: ServerEndpoint,
  over: TcpNetConnectOpts | { readonly socket: Duplex },
  note: Note,
): TLSSocket {
  // Loaded only for TLS: the module takes 1.6 MB on Node 24.
  const { connect: connectTls } = process.getBuiltinModule('node:tls');
  const socket = connectTls({
    ...over,
    servername: isIP(host) === 0 ? host : '',
    host,
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2',
    ...(ca?.pem === undefined ? {} : { ca: ca.pem }),
    ...(clientCertificate === undefined ? {} : { cert: clientCertificate.cert, key: clientCertificate.key.reveal() }),
  });
  // Only after 'connect', because the next address gets a new handle, which would not report keys. The keys are ignored.
  socket.once('connect', () => socket.once('keylog', () => note({ keysAgreed: true })));
  // Node emits 'secure' at the end of the handshake, before it verifies the certificate. A refused certificate destroys
  // the socket, and then the chain can't be read any more.
  socket.prependOnceListener('secure', () => note({ chain: shownChain(socket.getPeerCertificate(true)) }));
  socket.once('secureConnect', () => note({ stage: 'open' }));
  return socket;
}
