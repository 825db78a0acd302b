/** A session of normal operation, which stays open. For one question and its answer see src/thingsboard/exchange.ts. */

import type { Duplex } from 'node:stream';
import type { IClientOptions } from 'mqtt';
import type { ThingsboardSettings } from '../config/thermal/clientConfig.ts';
import { type DeviceCredentials, type DeviceLogin, loginOf } from '../deviceCredentials.ts';
import type { Authorities, ProxyServer } from '../endpoint.ts';
import { connackFailure } from '../failures/connackFailure.ts';
import { Failure } from '../failures/failure.ts';
import { closedFailure, networkFailure, notMqttFailure, timeoutFailure } from '../failures/networkFailure.ts';
import { operationServer } from '../failures/serverFacts.ts';
import { guardIdentifiers, LOGIN_OPTIONS, MqttClient } from '../thingsboard/mqttClient.ts';
import { openStream } from '../thingsboard/openStream.ts';
import { closeClient } from './clientClose.ts';
import { createSessionEnding, settleWithin } from './sessionEnding.ts';

/** Time limits of a session, in milliseconds. */
export interface SessionLimits {
  /** From the first packet to CONNACK. */
  readonly connectMs: number;
  /** From a PUBLISH to its PUBACK (QoS 0: until the message is written to the socket). */
  readonly ackMs: number;
  /** For a clean DISCONNECT; then the socket is destroyed. */
  readonly closeMs: number;
}

export const SESSION_LIMITS: SessionLimits = { connectMs: 30_000, ackMs: 20_000, closeMs: 500 };

/** A session that ends earlier has its own hint: a second client and a rate limit end sessions like this. */
const SHORT_SESSION_MS = 30_000;

/** Largest incoming packet. It is twice the server's own limit, so a valid packet is smaller. */
const MAX_INCOMING_BYTES = 128 * 1024;

/** A device's open MQTT session with ThingsBoard. It never reconnects: a new connection is a new session. */
export interface ThingsboardSession {
  /** Host and port. */
  readonly server: string;
  /**
   * Publishes a message. Resolves when the server has acknowledged it (QoS 0: when it is written to the socket).
   * @param acknowledged use QoS 1 even if the configuration has QoS 0
   * @throws Failure ANSWER_TIMEOUT, CONNECTION_LOST, or the failure that ended the session
   */
  publish(topic: string, payload: string, signal: AbortSignal, acknowledged?: boolean): Promise<void>;
  /**
   * Subscribes with QoS 1. Resolves when the server has granted it.
   * @param onMessage takes each message whose topic matches the filter; the filter ends with `/+`
   * @throws Failure as `publish`, NOT_THINGSBOARD if the server refuses the filter
   */
  subscribe(
    filter: string,
    onMessage: (topic: string, payload: Uint8Array) => void,
    signal: AbortSignal,
  ): Promise<void>;
  /** Resolves with the reason why the session ended; never rejects. */
  readonly ended: Promise<Failure>;
  /** Sends DISCONNECT within its time limit, then closes the socket. */
  close(): Promise<void>;
}

export interface SessionOptions {
  readonly settings: ThingsboardSettings;
  /** The configured credentials, with certificate and key. */
  readonly credentials: DeviceCredentials;
  /** The trusted authorities for TLS. */
  readonly ca: Authorities | undefined;
  /** The way to the server; undefined: a direct connection. */
  readonly proxy?: ProxyServer | undefined;
  readonly limits: SessionLimits;
  readonly signal: AbortSignal;
}

const addressOf = ({ host, port, useSsl }: ThingsboardSettings) => ({ host, port, useSsl });

function clientOptions({ settings, limits }: SessionOptions, login: DeviceLogin): IClientOptions {
  return {
    ...LOGIN_OPTIONS,
    clientId: login.clientId,
    ...(login.username === undefined ? {} : { username: login.username }),
    ...(login.password === undefined ? {} : { password: login.password }),
    keepalive: settings.keepAliveSeconds,
    queueQoSZero: false,
    // The session's own limit ends first and reports the reason.
    connectTimeout: limits.connectMs + 5_000,
  };
}

/** Calls `onExcess` for an incoming packet above the limit. MQTT.js's parser would store it without a limit. */
function limitIncoming(client: MqttClient, socket: Duplex, onExcess: () => void): void {
  let unparsed = 0;
  client.on('packetreceive', () => {
    unparsed = 0;
  });
  socket.on('data', (chunk: Buffer) => {
    unparsed += chunk.length;
    if (unparsed > MAX_INCOMING_BYTES) onExcess();
  });
}

/**
 * Logs in as the device (docs/thingsboard.md, section 5) and waits for CONNACK.
 * @throws Failure of connackFailure and networkFailure, NOT_MQTT, ANSWER_TIMEOUT; the signal's reason
 */
export async function openSession(options: SessionOptions): Promise<ThingsboardSession> {
  const { settings, limits, signal } = options;
  signal.throwIfAborted();
  const address = { ...addressOf(settings), proxy: options.proxy };
  const server = operationServer(address);
  const qos = settings.qosLevel === 0 ? 0 : 1;
  const ending = createSessionEnding();
  let connectedAt: number | undefined;
  let first: Buffer | undefined;
  const login = loginOf(options.credentials, settings.deviceId);
  const { clientCertificate } = login;
  const { socket, progress } = openStream({ ...address, ca: options.ca, clientCertificate });
  const client = new MqttClient(() => socket, clientOptions(options, login));
  const closedByServer = (error?: Error): Failure => {
    if (connectedAt === undefined) {
      return error === undefined ? closedFailure(server, progress()) : networkFailure(error, server, progress());
    }
    const failure =
      error === undefined
        ? new Failure('CONNECTION_LOST', 'sessionClosed', server)
        : networkFailure(error, server, 'session');
    const openMs = performance.now() - connectedAt;
    if (failure.code !== 'CONNECTION_LOST' || openMs > SHORT_SESSION_MS) return failure;
    const seconds = Math.round(openMs / 100) / 10;
    return new Failure('CONNECTION_LOST', 'sessionShort', { ...server, seconds }, error);
  };
  const notMqtt = (error: Error): Failure => notMqttFailure(server, first ?? Buffer.alloc(0), error);
  // In MQTT.js the code of a refusal is a number, the code of a system error is a name, and a parser error has no code.
  const failureOf = (error: Error): Failure => {
    if (error.message === 'Keepalive timeout') {
      return new Failure('ANSWER_TIMEOUT', 'noPing', { ...server, seconds: settings.keepAliveSeconds });
    }
    const code = 'code' in error ? error.code : undefined;
    if (typeof code === 'number') return connackFailure(code, server, 'device');
    return code === undefined ? notMqtt(error) : closedByServer(error);
  };

  // MQTT.js reports only some errors of the socket, and its 'close' has no reason. The listeners are never removed,
  // because an 'error' event without a listener ends the process.
  socket.on('error', (error) => ending.end(failureOf(error)));
  socket.once('data', (chunk: Buffer) => {
    first = chunk;
  });
  client.on('error', (error) => ending.end(failureOf(error)));
  client.on('close', () => ending.end(closedByServer()));
  guardIdentifiers(client, (error) => {
    ending.end(notMqtt(error));
    socket.destroy();
  });
  limitIncoming(client, socket, () => {
    ending.end(new Failure('NOT_MQTT', 'tooLarge', { ...server, limit: MAX_INCOMING_BYTES }));
    socket.destroy();
  });
  const ended = new Promise<Failure>((resolve) => ending.listen(resolve));

  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => {
    if (closing !== undefined) return closing;
    const disconnectMs = ending.failure() === undefined ? limits.closeMs : 0;
    ending.end(new Failure('CONNECTION_LOST', 'closedHere', server));
    closing = closeClient(client, socket, disconnectMs);
    return closing;
  };

  const noConnack = (): Failure => timeoutFailure(server, progress(), limits.connectMs);
  try {
    await settleWithin({ ending, signal, limitMs: limits.connectMs, onLimit: noConnack }, (done) => {
      client.once('connect', () => done());
      client.connect();
    });
  } catch (error) {
    await closeClient(client, socket, 0);
    throw error;
  }
  connectedAt = performance.now();

  const noAck = (): Failure =>
    new Failure('ANSWER_TIMEOUT', 'notAcknowledged', { ...server, seconds: limits.ackMs / 1000 });
  const noSuback = (): Failure =>
    new Failure('ANSWER_TIMEOUT', 'notSubscribed', { ...server, seconds: limits.ackMs / 1000 });
  return {
    server: server.server,
    ended,
    close,
    subscribe: async (filter, onMessage, subscribeSignal) => {
      const prefix = filter.slice(0, -1);
      client.on('message', (topic, payload) => {
        if (topic.startsWith(prefix)) onMessage(topic, payload);
      });
      await settleWithin({ ending, signal: subscribeSignal, limitMs: limits.ackMs, onLimit: noSuback }, (done) => {
        client.subscribe(filter, { qos: 1 }, (error, granted) => {
          const isRefused = granted?.some(({ qos: given }) => given > 1) ?? false;
          done(error || isRefused ? new Failure('NOT_THINGSBOARD', 'filterRefused', { ...server, filter }) : undefined);
        });
      });
    },
    publish: async (topic, payload, publishSignal, acknowledged = false) => {
      await settleWithin({ ending, signal: publishSignal, limitMs: limits.ackMs, onLimit: noAck }, (done) => {
        client.publish(topic, payload, { qos: acknowledged ? 1 : qos }, (error) =>
          done(error ? closedByServer() : undefined),
        );
      });
    },
  };
}
