import type { Socket } from 'node:net';
import type { ServerEndpoint } from '../endpoint.ts';
import { openStream } from './openStream.ts';

/**
 * One connection that is opened before it is needed: while the server thinks about the request, the next connection's
 * TCP and TLS handshakes are done. Nothing is ever sent on it before it is taken.
 */
export interface StandbyStream {
  /** Opens it, unless there is one. Never fails: what went wrong shows when the one who needs it opens its own. */
  open(server: ServerEndpoint): void;
  /** The connection to exactly this server, whether its handshake is done or not; undefined: there is none, or no more. */
  take(server: ServerEndpoint): Socket | undefined;
  /** Closes what nobody took. */
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
      // No MQTT server speaks first; listening is also what lets its close be seen.
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
