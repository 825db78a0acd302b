import type { Socket } from 'node:net';
import type { ServerEndpoint } from '../endpoint.ts';
import { openStream } from './openStream.ts';

/**
 * One connection that is opened before it is needed: its TCP and TLS handshakes run while the server processes the
 * request. Nothing is sent on it before it is taken.
 */
export interface StandbyStream {
  /** Opens the connection unless one is open. Never fails: after an error the caller opens a connection itself. */
  open(server: ServerEndpoint): void;
  /** Hands over the connection to this server, even during its handshake; undefined if there is no open one. */
  take(server: ServerEndpoint): Socket | undefined;
  /** Closes a connection that was not taken. */
  close(): void;
}

const isSame = (one: ServerEndpoint, other: ServerEndpoint): boolean =>
  one.host === other.host && one.port === other.port && one.useSsl === other.useSsl && one.ca === other.ca;

export function standbyStream(): StandbyStream {
  let standby: { readonly server: ServerEndpoint; readonly socket: Socket; readonly discard: () => void } | undefined;
  return {
    open(server) {
      if (standby !== undefined && !standby.socket.destroyed) return;
      const socket = openStream(server);
      const discard = (): void => void socket.destroy();
      socket.on('error', discard);
      // An MQTT server never sends first. The listener also makes Node notice that the server closes.
      socket.on('data', discard);
      standby = { server, socket, discard };
    },
    take(server) {
      const taken = standby;
      standby = undefined;
      if (taken === undefined || taken.socket.destroyed) return undefined;
      if (!isSame(taken.server, server)) {
        taken.discard();
        return undefined;
      }
      taken.socket.off('data', taken.discard);
      taken.socket.pause();
      return taken.socket;
    },
    close() {
      standby?.discard();
      standby = undefined;
    },
  };
}
