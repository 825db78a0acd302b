/** A TCP proxy in front of ThingsBoard that cuts one connection at a given moment of the provisioning. */

import { connect, createServer, type Socket } from 'node:net';
import { splitMqtt } from '../../support/packetBoundaries.ts';
import type { MqttEndpoint } from './arguments.ts';

/** The last packet that passes before the cut. */
export const CUTS = ['request', 'puback', 'answer'] as const;
export type Cut = (typeof CUTS)[number];

export interface LossyProxy {
  readonly endpoint: MqttEndpoint;
  /** How many connections were cut. */
  cuts(): number;
  close(): Promise<void>;
}

/** Types of packets (MQTT 3.1.1, section 2.2.1). */
const PUBLISH = 3;
const PUBACK = 4;

const isPublishTo = (packet: Buffer, topic: string): boolean =>
  (packet[0] ?? 0) >> 4 === PUBLISH && packet.includes(topic);

/** Starts a proxy on a free port of 127.0.0.1. Only the first connection that comes to this moment is cut. */
export async function startLossyProxy(target: MqttEndpoint, cut: Cut): Promise<LossyProxy> {
  const sockets = new Set<Socket>();
  let cuts = 0;
  const keep = (socket: Socket): Socket => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    return socket;
  };
  const server = createServer((socket) => {
    const client = keep(socket);
    const upstream = keep(connect({ ...target }));
    let requested = false;
    const end = (): void => {
      cuts += 1;
      // A FIN behind the bytes: what has passed arrives.
      client.end();
      upstream.end();
    };
    const relay = (from: Socket, to: Socket, isLast: (packet: Buffer) => boolean): void => {
      const split = splitMqtt();
      let over = false;
      from.on('data', (chunk: Buffer) => {
        for (const packet of split(chunk)) {
          if (over || to.writableEnded) return;
          to.write(packet);
          over = cuts === 0 && isLast(packet);
          if (over) end();
        }
      });
      from.on('end', () => to.end());
      from.on('close', () => to.destroySoon());
    };
    relay(client, upstream, (packet) => {
      requested ||= isPublishTo(packet, '/provision/request');
      return cut === 'request' && requested;
    });
    relay(upstream, client, (packet) => {
      if (cut === 'puback') return requested && (packet[0] ?? 0) >> 4 === PUBACK;
      return cut === 'answer' && isPublishTo(packet, '/provision/response');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no TCP address');
  return {
    endpoint: { host: '127.0.0.1', port: address.port },
    cuts: () => cuts,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
