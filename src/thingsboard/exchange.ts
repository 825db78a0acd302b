/**
 * One connection for one question and one answer. The session of normal operation, which stays open, is in
 * src/client/thingsboardSession.ts.
 */

import type { Socket } from 'node:net';
import { generate } from 'mqtt-packet';
import type { ServerEndpoint } from '../endpoint.ts';
import { Failure } from '../failures/failure.ts';
import { networkFailure } from '../failures/networkFailure.ts';
import { provisioningServer, type ServerFacts } from '../failures/serverFacts.ts';
import { guardIdentifiers, MqttClient } from './mqttClient.ts';
import { openStream } from './openStream.ts';

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

export interface ExchangeOptions {
  readonly server: ServerEndpoint;
  /** A connection to the server on which nothing was sent yet; default: a new one. */
  readonly stream?: Socket | undefined;
  readonly clientId: string;
  readonly username: string;
  readonly question: Question;
  /** Limit for the whole exchange, ms. */
  readonly timeoutMs: number;
  /** Limit from CONNACK to the answer, ms; default: the rest of timeoutMs. */
  readonly answerTimeoutMs?: number;
  readonly signal: AbortSignal;
  /** Called at each stage; `secured`: the TLS handshake is done and CONNECT is sent. */
  readonly onStage?: (stage: 'secured' | 'connected' | 'asked') => void;
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

/** ThingsBoard's packets are far smaller. More bytes are an attack or another protocol. */
const MAX_RECEIVED_BYTES = 128 * 1024;

function timeoutFailure(server: ServerFacts, asked: boolean, open: boolean, ms: number): Failure {
  const facts = { ...server, seconds: Math.round(ms / 100) / 10 };
  if (asked) return new Failure('ANSWER_TIMEOUT', 'noAnswer', facts);
  return open ? new Failure('ANSWER_TIMEOUT', 'notAccepted', facts) : new Failure('CONNECT_TIMEOUT', 'noAnswer', facts);
}

/**
 * Connects, asks one question, receives one answer and closes. Each question needs its own connection, because
 * ThingsBoard answers without a correlation id (docs/thingsboard.md, section 3). The question is never sent again,
 * because a repeated PUBLISH is a second provisioning attempt (docs/thingsboard.md, section 1). The exchange does not
 * wait for SUBACK, because servers before 3.9 never send it.
 * @throws the signal's reason when it is aborted; every other end is an ExchangeEnd
 */
export function exchange(options: ExchangeOptions): Promise<ExchangeEnd> {
  if (options.signal.aborted) options.stream?.destroy();
  options.signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const { question, signal } = options;
    const server = provisioningServer(options.server);
    const early = question.early === true;
    let accepted = false;
    let asked = false;
    let settled = false;
    let received = 0;

    const stream = options.stream ?? openStream(options.server);
    const client = new MqttClient(() => stream, {
      protocolVersion: 4,
      clientId: options.clientId,
      username: options.username,
      clean: true,
      manualConnect: true,
      reconnectPeriod: 0,
      resubscribe: false,
      keepalive: 0,
      // The cache would allocate 65,536 buffers before the first packet, one for each packet identifier.
      writeCache: false,
      // This function's own limit ends the exchange first.
      connectTimeout: options.timeoutMs + 1000,
    });

    const close = (): void => {
      settled = true;
      clearTimeout(deadline);
      clearTimeout(answerDeadline);
      signal.removeEventListener('abort', abort);
      // end(true) does not wait. A late error of the stream is ignored, because the exchange has ended.
      client.end(true);
      stream.destroy();
    };
    const settle = (end: ExchangeEnd): void => {
      if (settled) return;
      close();
      resolve(end);
    };
    const fail = (failure: Failure): void => settle({ kind: 'failed', failure, asked });
    const abort = (): void => {
      close();
      reject(signal.reason);
    };
    const timeUp = (ms: number) => () => fail(timeoutFailure(server, asked, !stream.connecting, ms));

    const deadline = setTimeout(timeUp(options.timeoutMs), options.timeoutMs);
    let answerDeadline: NodeJS.Timeout | undefined;
    signal.addEventListener('abort', abort, { once: true });

    stream.on('data', (chunk: Buffer) => {
      received += chunk.length;
      if (received <= MAX_RECEIVED_BYTES) return;
      fail(new Failure('ANSWER_INVALID', 'tooMuch', { ...server, limit: MAX_RECEIVED_BYTES }));
    });
    stream.on('error', (error) => fail(networkFailure(error, server, asked ? 'asked' : 'connecting')));
    stream.once('secureConnect', () => options.onStage?.('secured'));
    client.on('packetreceive', (packet) => {
      // Only the first CONNACK can refuse. A later packet does not tell whether the question arrived.
      if (packet.cmd !== 'connack' || asked) return;
      accepted = !packet.returnCode;
      if (packet.returnCode) settle({ kind: 'refused', returnCode: packet.returnCode });
    });
    // Stream errors and refusals are handled above. So this error comes from MQTT.js's parser, or MQTT.js rejects a
    // packet that is not allowed here, such as a second CONNACK.
    const failNotMqtt = (error: Error): void => fail(new Failure('NOT_MQTT', 'notMqtt', server, error));
    client.on('error', failNotMqtt);
    guardIdentifiers(client, failNotMqtt);
    client.on('close', () => fail(new Failure('CONNECTION_LOST', asked ? 'answerClosed' : 'closed', server)));
    client.on('message', (topic, payload) => {
      // MQTT.js emits 'connect' after the message that directly follows CONNACK.
      if ((early ? accepted : asked) && topic === question.answerTopic)
        settle({ kind: 'answer', payload: Buffer.from(payload) });
    });
    client.on('connect', () => {
      // MQTT.js emits 'connect' later than CONNACK arrives. If the exchange has ended, it must not ask.
      if (settled) return;
      asked = true;
      const { answerTimeoutMs } = options;
      if (answerTimeoutMs !== undefined) answerDeadline = setTimeout(timeUp(answerTimeoutMs), answerTimeoutMs);
      if (question.subscribe) client.subscribe(question.answerTopic, { qos: 1 }, () => {});
      if (!early) client.publish(question.topic, question.payload, { qos: 1 }, () => {});
      options.onStage?.('connected');
      options.onStage?.('asked');
    });
    client.connect();
    const { topic, payload } = question;
    if (early) stream.write(generate({ cmd: 'publish', topic, payload, qos: 0, dup: false, retain: false }));
  });
}
