/**
 * One connection for one question and one answer. The session of normal operation, which stays open, is in
 * src/client/thingsboardSession.ts.
 */

import { generate } from 'mqtt-packet';
import type { ServerEndpoint } from '../endpoint.ts';
import { Failure } from '../failures/failure.ts';
import { closedFailure, networkFailure, notMqttFailure, timeoutFailure } from '../failures/networkFailure.ts';
import { provisioningServer } from '../failures/serverFacts.ts';
import { guardIdentifiers, LOGIN_OPTIONS, MqttClient } from './mqttClient.ts';
import { openStream, type ServerStream } from './openStream.ts';

/** One question to a server. */
export interface Question {
  readonly topic: string;
  readonly payload: string;
  readonly answerTopic: string;
  /** Whether to subscribe to the answer's topic. ThingsBoard answers on the same connection even without it. */
  readonly subscribe: boolean;
  /**
   * Whether to send the question directly after CONNECT, which saves one round trip. MQTT 3.1.1, section 3.1.4, allows
   * it, and ThingsBoard queues the packet (docs/thingsboard.md, section 1). Only for questions that may be asked twice:
   * after a lost connection it is not known whether the question arrived.
   */
  readonly early?: boolean;
}

export interface LoginOptions {
  readonly server: ServerEndpoint;
  /** A connection to the server on which nothing was sent yet; default: a new one. */
  readonly stream?: ServerStream | undefined;
  readonly clientId: string;
  readonly username?: string;
  readonly password?: string;
  /** Limit for the whole exchange, ms. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Called at each stage; `secured`: the TLS handshake is done and CONNECT is sent. */
  readonly onStage?: (stage: 'secured' | 'connected' | 'asked') => void;
}

export interface ExchangeOptions extends LoginOptions {
  readonly question: Question;
  /** Limit from CONNACK to the answer, ms; default: the rest of timeoutMs. */
  readonly answerTimeoutMs?: number;
}

/** How an exchange ended. An aborted exchange rejects instead. */
export type ExchangeEnd =
  | { readonly kind: 'answer'; readonly payload: Buffer }
  /** CONNACK with a return code other than 0 (MQTT 3.1.1, section 3.2.2.3). */
  | { readonly kind: 'refused'; readonly returnCode: number }
  | {
      readonly kind: 'failed';
      readonly failure: Failure;
      /** The server had accepted the connection, so the question may have been sent. */
      readonly asked: boolean;
    };

/** The server accepted a login without a question. */
export type LoginEnd = { readonly kind: 'accepted' } | Exclude<ExchangeEnd, { readonly kind: 'answer' }>;

/** ThingsBoard's packets are far smaller. More bytes are an attack or another protocol. */
const MAX_RECEIVED_BYTES = 128 * 1024;
/** MQTT 3.1.1, section 3.14. */
const DISCONNECT = Buffer.from([0xe0, 0x00]);

/**
 * Connects, asks one question, receives one answer and closes. Each question needs its own connection, because
 * ThingsBoard answers without a correlation id (docs/thingsboard.md, section 3). The question is never sent again,
 * because a repeated PUBLISH is a second provisioning attempt (docs/thingsboard.md, section 1). The exchange does not
 * wait for SUBACK, because servers before 3.9 never send it. Without a question the login alone is tried.
 * @throws the signal's reason when it is aborted; every other end is an ExchangeEnd
 */
export function exchange(options: ExchangeOptions): Promise<ExchangeEnd>;
export function exchange(options: LoginOptions): Promise<LoginEnd>;
export function exchange(options: LoginOptions & Partial<ExchangeOptions>): Promise<ExchangeEnd | LoginEnd> {
  if (options.signal.aborted) options.stream?.socket.destroy();
  options.signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const { question, signal } = options;
    const server = provisioningServer(options.server);
    const early = question?.early === true;
    let accepted = false;
    let asked = false;
    let acknowledged = false;
    let settled = false;
    let first: Buffer | undefined;
    let received = 0;

    const { socket, progress } = options.stream ?? openStream(options.server);
    const client = new MqttClient(() => socket, {
      ...LOGIN_OPTIONS,
      clientId: options.clientId,
      ...(options.username === undefined ? {} : { username: options.username }),
      ...(options.password === undefined ? {} : { password: options.password }),
      keepalive: 0,
      // This function's own limit ends the exchange first.
      connectTimeout: options.timeoutMs + 1000,
    });

    const destroy = (): void => {
      // end(true) does not wait. A late error of the stream is ignored, because the exchange has ended.
      client.end(true);
      socket.destroy();
    };
    const end = (): void => {
      settled = true;
      clearTimeout(deadline);
      clearTimeout(answerDeadline);
      signal.removeEventListener('abort', abort);
    };
    const settle = (result: ExchangeEnd | LoginEnd): void => {
      if (settled) return;
      end();
      // A clean DISCONNECT, so that the server's log shows no broken connection.
      if (result.kind === 'accepted') socket.end(DISCONNECT, destroy);
      else destroy();
      resolve(result);
    };
    const fail = (failure: Failure): void => settle({ kind: 'failed', failure, asked });
    const abort = (): void => {
      end();
      destroy();
      reject(signal.reason);
    };
    const late = (ms: number): Failure => {
      if (!asked) return timeoutFailure(server, progress(), ms);
      const facts = { ...server, seconds: Math.round(ms / 100) / 10 };
      return new Failure('ANSWER_TIMEOUT', acknowledged ? 'acknowledged' : 'noAnswer', facts);
    };
    const broken = (error?: Error): Failure => {
      if (acknowledged) return new Failure('CONNECTION_LOST', 'acknowledged', server, error);
      if (error !== undefined) return networkFailure(error, server, asked ? 'asked' : progress());
      return asked ? new Failure('CONNECTION_LOST', 'answerClosed', server) : closedFailure(server, progress());
    };
    const failAfter = (ms: number): NodeJS.Timeout => setTimeout(() => fail(late(ms)), ms);

    const deadline = failAfter(options.timeoutMs);
    let answerDeadline: NodeJS.Timeout | undefined;
    signal.addEventListener('abort', abort, { once: true });

    socket.on('data', (chunk: Buffer) => {
      first ??= chunk;
      received += chunk.length;
      if (received <= MAX_RECEIVED_BYTES) return;
      fail(new Failure('ANSWER_INVALID', 'tooMuch', { ...server, limit: MAX_RECEIVED_BYTES }));
    });
    socket.on('error', (error) => fail(broken(error)));
    socket.once('secureConnect', () => options.onStage?.('secured'));
    client.on('packetreceive', (packet) => {
      if (packet.cmd === 'puback') acknowledged = asked;
      // Only the first CONNACK can refuse. A later packet does not tell whether the question arrived.
      if (packet.cmd !== 'connack' || asked) return;
      accepted = !packet.returnCode;
      if (packet.returnCode) settle({ kind: 'refused', returnCode: packet.returnCode });
    });
    // Stream errors and refusals are handled above. So this error comes from MQTT.js's parser, or MQTT.js rejects a
    // packet that is not allowed here, such as a second CONNACK.
    const failNotMqtt = (error: Error): void => fail(notMqttFailure(server, first ?? Buffer.alloc(0), error));
    client.on('error', failNotMqtt);
    guardIdentifiers(client, failNotMqtt);
    client.on('close', () => fail(broken()));
    client.on('message', (topic, payload) => {
      // MQTT.js emits 'connect' after the message that directly follows CONNACK.
      if ((early ? accepted : asked) && topic === question?.answerTopic)
        settle({ kind: 'answer', payload: Buffer.from(payload) });
    });
    client.on('connect', () => {
      // MQTT.js emits 'connect' later than CONNACK arrives. If the exchange has ended, it must not ask.
      if (settled) return;
      if (question === undefined) return settle({ kind: 'accepted' });
      asked = true;
      const { answerTimeoutMs } = options;
      if (answerTimeoutMs !== undefined) answerDeadline = failAfter(answerTimeoutMs);
      if (question.subscribe) client.subscribe(question.answerTopic, { qos: 1 }, () => {});
      if (!early) client.publish(question.topic, question.payload, { qos: 1 }, () => {});
      options.onStage?.('connected');
      options.onStage?.('asked');
    });
    client.connect();
    if (question === undefined || !early) return;
    const { topic, payload } = question;
    socket.write(generate({ cmd: 'publish', topic, payload, qos: 0, dup: false, retain: false }));
  });
}
