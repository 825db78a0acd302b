/** A TCP proxy that simulates a link with a long round trip, and counts connections, packets and round trips. */

import { connect, createServer, type Socket } from 'node:net';
import { type PacketSplitter, splitMqtt } from '../../test/support/packetBoundaries.ts';

export interface LinkProxyOptions {
  readonly targetPort: number;
  /** ms; default 0. */
  readonly roundTripMs?: number;
  /** Additional delay of each answer, ms: packets that don't wait for the answer then come first. */
  readonly answerDelayMs?: number;
  /** Whether MQTT packets can be counted; default true. */
  readonly isMqtt?: boolean;
}

export interface LinkProxy {
  readonly port: number;
  readonly connections: () => number;
  readonly packets: () => { readonly toServer: number; readonly toClient: number };
  /**
   * Round trips until the last answer, counted by cause and not by time. A connection and an answer each take one round
   * trip more than the latest answer that the client had when it connected or asked.
   */
  readonly roundTrips: () => number;
  close(): Promise<void>;
}

/** Starts the proxy on a free port of 127.0.0.1. */
export async function startLinkProxy(options: LinkProxyOptions): Promise<LinkProxy> {
  const { targetPort, roundTripMs = 0, answerDelayMs = 0, isMqtt = true } = options;
  const sockets = new Set<Socket>();
  const timers = new Set<NodeJS.Timeout>();
  const packets = { toServer: 0, toClient: 0 };
  let connections = 0;
  let roundTrips = 0;

  const keep = (socket: Socket): Socket => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
    return socket;
  };
  const later = (ms: number, act: () => void): void => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      act();
    }, ms);
    timers.add(timer);
  };
  const counter = (direction: keyof typeof packets): ((chunk: Buffer) => void) => {
    const split: PacketSplitter = isMqtt ? splitMqtt() : () => [];
    return (chunk) => {
      packets[direction] += split(chunk).length;
    };
  };

  const server = createServer((client) => {
    connections += 1;
    const acceptedAt = performance.now();
    // The kernel answers the client's SYN immediately; over the link the client would wait for one round trip.
    const connectedAt = acceptedAt + roundTripMs;
    const connectedAfter = roundTrips + 1;
    let asked = 0;
    const upstream = keep(connect({ port: targetPort, host: '127.0.0.1' }));
    keep(client);
    const countToServer = counter('toServer');
    const countToClient = counter('toClient');
    client.on('data', (chunk) => {
      countToServer(chunk);
      asked = Math.max(roundTrips, connectedAfter);
      const now = performance.now();
      later(Math.max(now, connectedAt) - now + roundTripMs / 2, () => upstream.write(chunk));
    });
    upstream.on('data', (chunk) => {
      countToClient(chunk);
      const answered = asked + 1;
      later(roundTripMs / 2 + answerDelayMs, () => {
        if (!client.destroyed) roundTrips = Math.max(roundTrips, answered);
        client.write(chunk);
      });
    });
    client.on('close', () => later(roundTripMs, () => upstream.destroy()));
    upstream.on('close', () => later(roundTripMs / 2, () => client.destroy()));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no TCP address');
  return {
    port: address.port,
    connections: () => connections,
    packets: () => ({ ...packets }),
    roundTrips: () => roundTrips,
    close: () =>
      new Promise((resolve) => {
        for (const timer of timers) clearTimeout(timer);
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
