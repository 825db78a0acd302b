/**
 * One connection, one question, one answer. A session of normal operation, which stays open, is
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
  /** Whether to subscribe to the answer's topic; ThingsBoard answers on the connection that asked in any case. */
  readonly subscribe: boolean;
  /**
   * Whether to send it right behind CONNECT (MQTT 3.1.1, section 3.1.4, allows it; ThingsBoard queues it,
   * docs/thingsboard.md, section 1): one round trip less, but only for what may be asked twice, as a lost connection
   * leaves open whether it had arrived.
   */
  readonly early?: boolean;
}

export interface ExchangeOptions {
  readonly server: ServerEndpoint;
  /** A connection to the server on which nothing has been sent; default: a new one. */
  readonly stream?: Socket | undefined;
  readonly clientId: string;
  readonly username: string;
  readonly question: Question;
  /** Limit for the whole exchange, ms. */
  readonly timeoutMs: number;
  /** Limit from CONNACK to the answer, ms; default: what is left of timeoutMs. */
  readonly answerTimeoutMs?: number;
  readonly signal: AbortSignal;
  /** Told about each stage; `secured`: the TLS handshake is done, and CONNECT leaves. */
  readonly onStage?: (stage: 'secured' | 'connected' | 'asked') => void;
}

/** How an exchange ended. There is no other way for it to end, but by the signal. */
export type ExchangeEnd =
  | { readonly kind: 'answer'; readonly payload: Buffer }
  /** CONNACK with a return code other than 0 (MQTT 3.1.1, section 3.2.2.3). */
  | { readonly kind: 'refused'; readonly returnCode: number }
  | {
      readonly kind: 'failed';
      readonly failure: Failure;
      /** The server had accepted the connection, and the question may have left: it follows CONNACK at once. */
      readonly asked: boolean;
    };

/** ThingsBoard's own packets are far smaller; more than this is an attack or no MQTT at all. */
const MAX_RECEIVED_BYTES = 128 * 1024;

function timeoutFailure(server: ServerFacts, asked: boolean, open: boolean, ms: number): Failure {
  const facts = { ...server, seconds: Math.round(ms / 100) / 10 };
  if (asked) return new Failure('ANSWER_TIMEOUT', 'noAnswer', facts);
  return open ? new Failure('ANSWER_TIMEOUT', 'notAccepted', facts) : new Failure('CONNECT_TIMEOUT', 'noAnswer', facts);
}

/**
 * Connects, asks one question, takes one answer and closes for good: one connection for each question, because
 * ThingsBoard answers without a correlation id (docs/thingsboard.md, section 3) and because nothing may be sent twice: a
 * repeated PUBLISH would be a second provisioning attempt (docs/thingsboard.md, section 1). SUBACK is not awaited:
 * servers before 3.9 never send it.
 * @throws the signal's reason when it is aborted; everything else is an ExchangeEnd
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
      // It would make 65,536 buffers before the first packet, one for each packet identifier.
      writeCache: false,
      // The limits here are this function's own.
      connectTimeout: options.timeoutMs + 1000,
    });

    const close = (): void => {
      settled = true;
      clearTimeout(deadline);
      clearTimeout(answerDeadline);
      signal.removeEventListener('abort', abort);
      // end(true) does not wait for anything; a late error of the dying stream is nobody's concern any more.
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
      // Only the first CONNACK can refuse: what comes after the question says nothing about whether it had arrived.
      if (packet.cmd !== 'connack' || asked) return;
      accepted = !packet.returnCode;
      if (packet.returnCode) settle({ kind: 'refused', returnCode: packet.returnCode });
    });
    // The stream's errors and refusals were settled above, so this is MQTT.js's parser (bytes that are no MQTT packet)
    // or its judgement that a packet is out of place, such as a second CONNACK.
    const failNotMqtt = (error: Error): void => fail(new Failure('NOT_MQTT', 'notMqtt', server, error));
    client.on('error', failNotMqtt);
    guardIdentifiers(client, failNotMqtt);
    client.on('close', () => fail(new Failure('CONNECTION_LOST', asked ? 'answerClosed' : 'closed', server)));
    client.on('message', (topic, payload) => {
      // MQTT.js tells of CONNACK later than of an answer that came right behind it.
      if ((early ? accepted : asked) && topic === question.answerTopic)
        settle({ kind: 'answer', payload: Buffer.from(payload) });
    });
    client.on('connect', () => {
      // MQTT.js tells of CONNACK a moment after it came: the exchange may be over by now, and must not ask any more.
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
