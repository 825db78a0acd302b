import { isSameProxy, type ServerEndpoint } from '../endpoint.ts';
import { openStream, type ServerStream } from './openStream.ts';

/**
 * One connection that is opened before it is needed: its TCP and TLS handshakes run while the server processes the
 * request. Nothing is sent on it before it is taken.
 */
export interface StandbyStream {
  /** Opens the connection unless one is open. Never fails: after an error the caller opens a connection itself. */
  open(server: ServerEndpoint): void;
  /** Hands over the connection to this server, even during its handshake; undefined if there is no open one. */
  take(server: ServerEndpoint): ServerStream | undefined;
  /** Closes a connection that was not taken. */
  close(): void;
}

const isSame = (one: ServerEndpoint, other: ServerEndpoint): boolean =>
  one.host === other.host &&
  one.port === other.port &&
  one.useSsl === other.useSsl &&
  one.ca?.pem === other.ca?.pem &&
  one.clientCertificate?.cert === other.clientCertificate?.cert &&
  isSameProxy(one.proxy, other.proxy);

export function standbyStream(): StandbyStream {
  let standby: { readonly stream: ServerStream; readonly discard: () => void } | undefined;
  return {
    open(server) {
      if (standby !== undefined && !standby.stream.socket.destroyed) return;
      const stream = openStream(server);
      const { socket } = stream;
      const discard = (): void => void socket.destroy();
      socket.on('error', discard);
      // An MQTT server never sends first. The listener also makes Node notice that the server closes.
      socket.on('data', discard);
      standby = { stream, discard };
    },
    take(server) {
      const taken = standby;
      standby = undefined;
      if (taken === undefined || taken.stream.socket.destroyed) return undefined;
      if (!isSame(taken.stream.progress().server, server)) {
        taken.discard();
        return undefined;
      }
      const { socket } = taken.stream;
      socket.off('data', taken.discard);
      socket.pause();
      return taken.stream;
    },
    close() {
      standby?.discard();
      standby = undefined;
    },
  };
}
