/** A server that speaks MQTT byte by byte, so that it can misbehave at any point, and counts what it is sent. */

import { once } from 'node:events';
import { createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import { onTestFinished } from 'vitest';
import { packet, publishPacket, TYPE } from '../simulator/mqttClients.ts';
import { until } from './until.ts';

/** One packet a client has sent (MQTT 3.1.1 section 2). */
export interface ReceivedPacket {
  readonly type: number;
  /** All of it, fixed header included. */
  readonly bytes: Buffer;
}

export interface ServedConnection {
  readonly socket: Socket;
  readonly received: readonly ReceivedPacket[];
  /** Whether the client's side has gone: nothing of the connection is left. */
  closed(): boolean;
}

/** What the server does; what is left out is answered with nothing. */
export interface RawScript {
  readonly onOpen?: (socket: Socket) => void;
  readonly onConnect?: (socket: Socket) => void;
  readonly onPublish?: (socket: Socket) => void;
}

export interface RawServer {
  readonly port: number;
  readonly connections: readonly ServedConnection[];
  /** How often each packet type has come, over all connections. */
  count(type: number): number;
  /** Waits until every connection is closed by the client too. */
  allClosed(): Promise<void>;
}

export const connackBytes = (returnCode = 0): Buffer => packet(TYPE.CONNACK, 0, Buffer.from([0, returnCode]));
export const pubackBytes = (bytesOfPublish: Buffer): Buffer => packet(TYPE.PUBACK, 0, messageIdOf(bytesOfPublish));
/** QoS 0, as large as is asked for. */
export function answerBytes(topic: string, payload: string): Buffer {
  const name = Buffer.from(topic);
  return packet(TYPE.PUBLISH, 0, Buffer.from([name.length >> 8, name.length & 0xff]), name, Buffer.from(payload));
}
/** QoS 1. */
export const acknowledgedAnswerBytes = (topic: string, payload: string): Buffer => publishPacket(topic, payload, 77);

/** Where the variable header begins, and where the packet ends. */
function measure(bytes: Buffer): { readonly header: number; readonly end: number } | undefined {
  let length = 0;
  for (let at = 1; at <= 4; at += 1) {
    const byte = bytes[at];
    if (byte === undefined) return undefined;
    length += (byte & 0x7f) * 128 ** (at - 1);
    if (byte < 0x80) return bytes.length < at + 1 + length ? undefined : { header: at + 1, end: at + 1 + length };
  }
  return undefined;
}

function messageIdOf(publish: Buffer): Buffer {
  const header = measure(publish)?.header ?? 0;
  const idAt = header + 2 + publish.readUInt16BE(header);
  return publish.subarray(idAt, idAt + 2);
}

/** The payload of a PUBLISH. */
export function payloadOf({ bytes }: ReceivedPacket): string {
  const header = measure(bytes)?.header ?? 0;
  // Only above QoS 0 does a packet identifier follow the topic (MQTT 3.1.1, section 3.3.2.2).
  const idLength = ((bytes[0] ?? 0) & 0x06) === 0 ? 0 : 2;
  return bytes.subarray(header + 2 + bytes.readUInt16BE(header) + idLength).toString();
}

/** The topic of a PUBLISH. */
export function topicOf({ bytes }: ReceivedPacket): string {
  const header = measure(bytes)?.header ?? 0;
  return bytes.subarray(header + 2, header + 2 + bytes.readUInt16BE(header)).toString();
}

function serve(socket: Socket, script: RawScript): ServedConnection {
  const received: ReceivedPacket[] = [];
  let pending = Buffer.alloc(0);
  let closed = false;
  socket.setNoDelay(true);
  socket.on('error', () => {});
  socket.on('close', () => {
    closed = true;
  });
  socket.on('data', (chunk: Buffer) => {
    pending = Buffer.concat([pending, chunk]);
    for (let size = measure(pending); size !== undefined; size = measure(pending)) {
      const bytes = pending.subarray(0, size.end);
      pending = pending.subarray(size.end);
      const type = (bytes[0] ?? 0) >> 4;
      received.push({ type, bytes });
      if (type === TYPE.CONNECT) script.onConnect?.(socket);
      if (type === TYPE.PUBLISH) script.onPublish?.(socket);
    }
  });
  script.onOpen?.(socket);
  return { socket, received, closed: () => closed };
}

/**
 * Starts a server that ends with the test.
 * @param host default 127.0.0.1
 */
export async function startRawServer(
  script: RawScript,
  options: { readonly host?: string; readonly tls?: TlsOptions } = {},
): Promise<RawServer> {
  const connections: ServedConnection[] = [];
  const accept = (socket: Socket): void => void connections.push(serve(socket, script));
  const server: Server = options.tls === undefined ? createTcpServer(accept) : createTlsServer(options.tls, accept);
  // A handshake that fails is what the client is asked about.
  server.on('tlsClientError', () => {});
  server.listen(0, options.host ?? '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    for (const { socket } of connections) socket.destroy();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no TCP address');
  return {
    port: address.port,
    connections,
    count: (type) => connections.flatMap(({ received }) => received).filter((one) => one.type === type).length,
    async allClosed() {
      await until(() => connections.length > 0 && connections.every(({ closed }) => closed()), 'the closes');
    },
  };
}
