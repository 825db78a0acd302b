/** Servers that are not ThingsBoard. Each has a free port of 127.0.0.1 and is closed after the test. */

import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type Server, type Socket } from 'node:net';
import type { AtEnd } from './atEnd.ts';
import { speakMqtt } from './foreignBroker.ts';

async function listen(atEnd: AtEnd, server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  atEnd(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return portOf(server);
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no TCP address');
  return address.port;
}

/** Accepts connections and sends nothing. */
export const startSilentServer = (atEnd: AtEnd): Promise<number> => listen(atEnd, createServer());

/** Closes every connection at once. */
export const startClosingServer = (atEnd: AtEnd): Promise<number> =>
  listen(
    atEnd,
    createServer((socket) => socket.destroy()),
  );

/** Answers the first bytes with this text, and keeps the connection open. */
export const startTalkingServer = (atEnd: AtEnd, text: string): Promise<number> =>
  listen(
    atEnd,
    createServer((socket) => socket.once('data', () => socket.write(text))),
  );

export const startHttpServer = (atEnd: AtEnd): Promise<number> =>
  listen(
    atEnd,
    createHttpServer((_request, response) => response.end('<html></html>')),
  );

/** A port where nothing listens. */
export async function closedPort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const port = portOf(server);
  server.close();
  await once(server, 'close');
  return port;
}

/** An MQTT broker that accepts every client and every message, and answers no request. */
export const startPlainBroker = (atEnd: AtEnd): Promise<number> =>
  listen(
    atEnd,
    createServer((socket) => speakMqtt(socket)),
  );
