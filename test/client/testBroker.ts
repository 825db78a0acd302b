import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { ClientConfig } from '../../src/config/thermal/clientConfig.ts';
import type { Log, LogDetails } from '../../src/log/log.ts';
import { accessToken } from '../support/accessToken.ts';
import { type BrokerRules, speakMqtt } from '../support/foreignBroker.ts';
import { until } from '../support/until.ts';

export const TOKEN = 'token-of-the-test-0123';

export interface Received {
  readonly topic: string;
  readonly payload: unknown;
  readonly qos: number;
}

interface BrokerOptions {
  /** Uses TLS with this certificate (PEM). */
  readonly tls?: { readonly cert: string; readonly key: string };
  readonly port?: number;
  /** CONNACK code for a valid token; 0 accepts. */
  readonly returnCode?: 0 | 3 | 4 | 5;
  /** Decides on each PUBLISH: answer or no answer; `close` closes the connection like ThingsBoard. */
  readonly answer?: (received: Received) => 'ack' | 'silence' | 'close';
}

export interface TestBroker {
  readonly port: number;
  readonly received: Received[];
  readonly clientIds: string[];
  connections(): Promise<number>;
  /** Waits for this number of publications to topics with this ending. */
  receives(count: number, topicEnd?: string): Promise<Received[]>;
  /** Closes every connection. */
  closeConnections(): void;
  close(): Promise<void>;
}

/** A small substitute for ThingsBoard's device sessions: the access token is the user name. */
export async function startBroker(options: BrokerOptions = {}): Promise<TestBroker> {
  const received: Received[] = [];
  const clientIds: string[] = [];
  const sockets = new Set<Socket>();
  const rules: BrokerRules = {
    onConnect({ clientId, username }) {
      clientIds.push(clientId);
      return username === TOKEN ? (options.returnCode ?? 0) : 5;
    },
    onPublish({ topic, payload, qos }) {
      const message = { topic, payload: JSON.parse(payload.toString()), qos };
      received.push(message);
      return options.answer?.(message) ?? 'ack';
    },
  };
  const accept = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    speakMqtt(socket, rules);
  };
  const server = options.tls === undefined ? createServer(accept) : createTlsServer(options.tls, accept);
  server.listen(options.port ?? 0, '127.0.0.1');
  await once(server, 'listening');
  const closeConnections = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: portOf(server),
    received,
    clientIds,
    closeConnections,
    connections: async () => sockets.size,
    async receives(count, topicEnd = 'telemetry') {
      const matching = () => received.filter(({ topic }) => topic.endsWith(topicEnd));
      await until(() => matching().length >= count);
      return matching();
    },
    async close() {
      closeConnections();
      const closed = once(server, 'close');
      server.close();
      await closed;
    },
  };
}

export const portOf = (server: Server): number => (server.address() as AddressInfo).port;

/** A TCP server that runs a callback for each connection. Its close ends all connections. */
export async function startTcp(onConnection: (socket: Socket) => void) {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    onConnection(socket);
    // A socket without a reader never notices its end.
    socket.resume();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: portOf(server),
    connections: () => sockets.size,
    async close() {
      for (const socket of sockets) socket.destroy();
      const closed = once(server, 'close');
      server.close();
      await closed;
    },
  };
}

export const spot = (id: number, enabled = true) => ({
  id,
  name: `Spot ${id}`,
  x: 10 * id,
  y: 20 * id,
  minTemp: 20,
  maxTemp: 80,
  noiseFactor: 0.1,
  enabled,
});

export function configFor(
  port: number,
  changes: {
    thingsboard?: Partial<ClientConfig['thingsboard']>;
    telemetry?: Partial<ClientConfig['telemetry']>;
  } = {},
): ClientConfig {
  return {
    thingsboard: {
      host: '127.0.0.1',
      port,
      login: accessToken(TOKEN),
      deviceId: 'camera-1',
      useSsl: false,
      keepAliveSeconds: 60,
      qosLevel: 1,
      ...changes.thingsboard,
    },
    telemetry: {
      intervalSeconds: 0.05,
      batchTransmission: true,
      retryAttempts: 0,
      retryDelayMs: 10,
      measurementSpots: [spot(1), spot(2)],
      ...changes.telemetry,
    },
    logging: { level: 'info', output: 'console', logFile: 'thermal-mqtt.log' },
  };
}

export interface LogLine {
  readonly level: string;
  readonly event: string;
  readonly message: string;
  readonly details: LogDetails | undefined;
}

export function recordingLog(): Log & { lines: LogLine[]; of(event: string): LogLine[] } {
  const lines: LogLine[] = [];
  const record = (level: string) => (event: string, message: string, details?: LogDetails) => {
    lines.push({ level, event, message, details });
  };
  return {
    lines,
    of: (event) => lines.filter((line) => line.event === event),
    error: record('error'),
    warn: record('warn'),
    info: record('info'),
    debug: record('debug'),
  };
}
