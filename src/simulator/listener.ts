import type { AddressInfo, Server, Socket } from 'node:net';
import { createServer } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { hostAndPort } from '../endpoint.ts';
import { Failure } from '../failures/failure.ts';
import { errnoOf } from '../failures/fileFailure.ts';
import type { IssuedCertificate } from './certificate.ts';

export interface ListenOptions {
  readonly port?: number | undefined;
  readonly host?: string | undefined;
  readonly tls?: IssuedCertificate | 'generated' | undefined;
}

export interface Listener {
  readonly port: number;
  readonly url: string;
  readonly caPem?: string;
  close(): Promise<void>;
}

interface ServerCertificate extends IssuedCertificate {
  readonly caPem?: string;
}

async function serverCertificate(tls: ListenOptions['tls']): Promise<ServerCertificate | undefined> {
  if (tls !== 'generated') return tls;
  const { issueAuthority, issueCertificate } = await import('./certificate.ts');
  const ca = await issueAuthority();
  const issued = await issueCertificate({ names: ['localhost'], ips: ['127.0.0.1', '::1'], ca });
  return { ...issued, caPem: ca.cert };
}

function createListener(certificate: ServerCertificate | undefined, accept: (socket: Socket) => void): Server {
  // No Nagle delay, as on the server: PUBACK and response are two small writes in a row.
  const noDelay = true;
  if (certificate === undefined) return createServer({ noDelay }, accept);
  try {
    // A client certificate is requested but not required. It is a credential, which is checked at CONNECT.
    const { cert, key } = certificate;
    return createTlsServer({ noDelay, cert, key, requestCert: true, rejectUnauthorized: false }, accept);
  } catch (error) {
    throw new Failure('USAGE', 'simulateCertificate', {}, error);
  }
}

/**
 * Listens on a TCP port, optionally with TLS.
 * @param accept receives each connection, for TLS after its handshake
 * @throws Failure USAGE for an unusable certificate or key; SERVER_UNAVAILABLE when it can't listen on the port
 */
export async function listen(options: ListenOptions, accept: (socket: Socket) => void): Promise<Listener> {
  const { host = '127.0.0.1', port = 0, tls } = options;
  const certificate = await serverCertificate(tls);
  const server = createListener(certificate, accept);
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  const address = await bind(server, host, port);
  return {
    port: address.port,
    url: `${certificate === undefined ? 'mqtt' : 'mqtts'}://${hostAndPort({ host, port: address.port })}`,
    ...(certificate?.caPem === undefined ? {} : { caPem: certificate.caPem }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/** Listens. @throws Failure SERVER_UNAVAILABLE */
export function bind(server: Server, host: string, port: number): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.on('error', (error) => {
      const errno = errnoOf(error) ?? error.message;
      reject(new Failure('SERVER_UNAVAILABLE', 'simulator', { server: hostAndPort({ host, port }), errno }, error));
    });
    server.listen(port, host, () => {
      const address = server.address();
      if (address === null || typeof address === 'string') reject(new Error('no TCP address'));
      else resolve(address);
    });
  });
}
