/** A server that writes raw MQTT bytes, so that it can misbehave at any point. It counts the received packets. */

import { once } from 'node:events';
import { createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import { onTestFinished } from 'vitest';
import { packet, publishPacket, TYPE } from '../simulator/mqttClients.ts';
import { until } from './until.ts';

/** A packet from a client (MQTT 3.1.1, section 2). */
export interface ReceivedPacket {
  readonly type: number;
  /** The whole packet, including the fixed header. */
  readonly bytes: Buffer;
}

export interface ServedConnection {
  readonly socket: Socket;
  readonly received: readonly ReceivedPacket[];
  /** Whether the connection is closed on both sides. */
  closed(): boolean;
}

/** The server's answers. A packet without an entry gets no answer. */
export interface RawScript {
  readonly onOpen?: (socket: Socket) => void;
  readonly onConnect?: (socket: Socket) => void;
  readonly onPublish?: (socket: Socket) => void;
}

export interface RawServer {
  readonly port: number;
  readonly connections: readonly ServedConnection[];
  /** Number of received packets of a type, over all connections. */
  count(type: number): number;
  /** Waits until the clients have closed every connection. */
  allClosed(): Promise<void>;
}

export const connackBytes = (returnCode = 0): Buffer => packet(TYPE.CONNACK, 0, Buffer.from([0, returnCode]));
export const pubackBytes = (bytesOfPublish: Buffer): Buffer => packet(TYPE.PUBACK, 0, messageIdOf(bytesOfPublish));
/** A PUBLISH of QoS 0, of any size. */
export function answerBytes(topic: string, payload: string): Buffer {
  const name = Buffer.from(topic);
  return packet(TYPE.PUBLISH, 0, Buffer.from([name.length >> 8, name.length & 0xff]), name, Buffer.from(payload));
}
/** A PUBLISH of QoS 1. */
export const acknowledgedAnswerBytes = (topic: string, payload: string): Buffer => publishPacket(topic, payload, 77);

/** Offsets of the variable header and of the packet's end. */
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
  // A packet identifier follows the topic only above QoS 0 (MQTT 3.1.1, section 3.3.2.2).
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
 * Starts a server that is closed after the test.
 * @param host default 127.0.0.1
 */
export async function startRawServer(
  script: RawScript,
  options: { readonly host?: string; readonly tls?: TlsOptions } = {},
): Promise<RawServer> {
  const connections: ServedConnection[] = [];
  const accept = (socket: Socket): void => void connections.push(serve(socket, script));
  const server: Server = options.tls === undefined ? createTcpServer(accept) : createTlsServer(options.tls, accept);
  // The test checks failed handshakes at the client.
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
