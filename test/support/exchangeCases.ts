/** What a server can do in an exchange, and how the exchange then ends: also through a proxy. */

import type { Socket } from 'node:net';
import { connectPacket, packet, TYPE } from '../simulator/mqttClients.ts';
import { ANSWER_TOPIC } from './exchangeCalls.ts';
import { acknowledgedAnswerBytes, answerBytes, connackBytes, type RawScript } from './rawMqttServer.ts';

export const ANSWER = '{"status":"SUCCESS"}';
export const PUBACK = packet(TYPE.PUBACK, 0, Buffer.from([0, 1]));
const PINGRESP = packet(TYPE.PINGRESP, 0);
/** Long enough for a busy machine to reach the tested step. */
export const SHORT_MS = 200;

export const accept = (socket: Socket): void => void socket.write(connackBytes());
const send =
  (...parts: readonly Uint8Array[]) =>
  (socket: Socket): void =>
    void socket.write(Buffer.concat(parts));
export const sendAndClose =
  (...parts: readonly Uint8Array[]) =>
  (socket: Socket): void =>
    void socket.end(Buffer.concat(parts));
const close = (socket: Socket): void => void socket.end();
const reset = (socket: Socket): void => void socket.resetAndDestroy();

const lost = (asked: boolean) => ({ kind: 'failed', code: 'CONNECTION_LOST', asked });
export const silent = (asked: boolean) => ({ kind: 'failed', code: 'ANSWER_TIMEOUT', asked });
const notMqtt = (asked: boolean) => ({ kind: 'failed', code: 'NOT_MQTT', asked });
export const answered = (text = ANSWER) => ({ kind: 'answer', text });

interface Case {
  readonly when: string;
  readonly script: RawScript;
  readonly end: Record<string, unknown>;
  readonly limit?: 'timeoutMs' | 'answerTimeoutMs';
}

const answerWith = (...parts: readonly Uint8Array[]): RawScript => ({ onConnect: accept, onPublish: send(...parts) });

export const EXCHANGE_CASES: readonly Case[] = [
  { when: 'closes at once', script: { onOpen: close }, end: lost(false) },
  { when: 'resets at once', script: { onOpen: reset }, end: lost(false) },
  { when: 'closes instead of CONNACK', script: { onConnect: close }, end: lost(false) },
  { when: 'resets instead of CONNACK', script: { onConnect: reset }, end: lost(false) },
  { when: 'sends nothing', script: {}, end: silent(false), limit: 'timeoutMs' },
  {
    when: 'sends an incomplete CONNACK',
    script: { onConnect: send(Buffer.from([0x20, 2, 0])) },
    end: silent(false),
    limit: 'timeoutMs',
  },
  { when: 'answers pings only', script: { onConnect: send(PINGRESP) }, end: silent(false), limit: 'timeoutMs' },
  {
    when: 'answers in HTTP',
    script: { onConnect: sendAndClose(Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')) },
    end: notMqtt(false),
  },
  {
    when: 'sends a greeting like SSH',
    script: { onOpen: send(Buffer.from('SSH-2.0-OpenSSH_9.2\r\n')) },
    end: notMqtt(false),
  },
  {
    when: 'echoes CONNECT',
    script: { onConnect: send(connectPacket({})) },
    end: silent(false),
    limit: 'timeoutMs',
  },
  {
    when: 'sends a CONNACK with reserved bits',
    script: { onConnect: send(packet(TYPE.CONNACK, 0, Buffer.from([6, 0]))) },
    end: notMqtt(false),
  },
  {
    when: 'sends AUTH of MQTT 5',
    script: { onConnect: send(packet(15, 0, Buffer.from([0]))) },
    end: notMqtt(false),
  },
  {
    when: 'answers before it accepts',
    script: { onConnect: send(answerBytes(ANSWER_TOPIC, ANSWER)) },
    end: silent(false),
    limit: 'timeoutMs',
  },
  {
    when: 'closes directly after CONNACK',
    script: { onConnect: sendAndClose(connackBytes()) },
    end: lost(true),
  },
  {
    when: 'sends garbage after CONNACK',
    script: { onConnect: send(connackBytes(), Buffer.alloc(9, 0xff)) },
    end: notMqtt(false),
  },
  {
    when: 'answers with QoS 1 and no packet identifier',
    script: { onConnect: accept, onPublish: send(packet(TYPE.PUBLISH, 2, Buffer.from([0, 1]), Buffer.from('a'))) },
    end: notMqtt(true),
  },
  {
    when: 'sends PUBREL without a packet identifier',
    script: { onConnect: accept, onPublish: send(packet(6, 2)) },
    end: notMqtt(true),
  },
  { when: 'sends CONNACK twice', script: { onConnect: accept, onPublish: accept }, end: notMqtt(true) },
  {
    when: 'refuses after it has accepted',
    script: { onConnect: accept, onPublish: send(connackBytes(5)) },
    end: notMqtt(true),
  },
  { when: 'closes instead of PUBACK', script: { onConnect: accept, onPublish: close }, end: lost(true) },
  { when: 'resets instead of PUBACK', script: { onConnect: accept, onPublish: reset }, end: lost(true) },
  {
    when: 'closes after PUBACK',
    script: { onConnect: accept, onPublish: sendAndClose(PUBACK) },
    end: lost(true),
  },
  { when: 'sends only PUBACK', script: answerWith(PUBACK), end: silent(true), limit: 'answerTimeoutMs' },
  { when: 'does not answer the question', script: { onConnect: accept }, end: silent(true), limit: 'answerTimeoutMs' },
  {
    when: 'closes in the middle of the answer',
    script: { onConnect: accept, onPublish: sendAndClose(answerBytes(ANSWER_TOPIC, ANSWER).subarray(0, 30)) },
    end: lost(true),
  },
  {
    when: 'answers only on another topic',
    script: answerWith(PUBACK, answerBytes(`${ANSWER_TOPIC}/x`, ANSWER)),
    end: silent(true),
    limit: 'answerTimeoutMs',
  },
  {
    when: 'answers on another topic, then on the right one',
    script: answerWith(answerBytes('other', 'no'), answerBytes(ANSWER_TOPIC, ANSWER)),
    end: answered(),
  },
  { when: 'answers before PUBACK', script: answerWith(answerBytes(ANSWER_TOPIC, ANSWER), PUBACK), end: answered() },
  { when: 'answers without PUBACK', script: answerWith(answerBytes(ANSWER_TOPIC, ANSWER)), end: answered() },
  {
    when: 'answers with QoS 1',
    script: answerWith(PUBACK, acknowledgedAnswerBytes(ANSWER_TOPIC, ANSWER)),
    end: answered(),
  },
  {
    when: 'answers twice',
    script: answerWith(answerBytes(ANSWER_TOPIC, ANSWER), answerBytes(ANSWER_TOPIC, 'again')),
    end: answered(),
  },
  {
    when: 'answers and closes',
    script: { onConnect: accept, onPublish: sendAndClose(PUBACK, answerBytes(ANSWER_TOPIC, ANSWER)) },
    end: answered(),
  },
  { when: 'answers with an empty payload', script: answerWith(answerBytes(ANSWER_TOPIC, '')), end: answered('') },
  {
    when: 'answers with 64 kB',
    script: answerWith(answerBytes(ANSWER_TOPIC, 'x'.repeat(65_536))),
    end: answered('x'.repeat(65_536)),
  },
  {
    when: 'answers with 10 MB',
    script: answerWith(answerBytes(ANSWER_TOPIC, 'x'.repeat(10_000_000))),
    end: { kind: 'failed', code: 'ANSWER_INVALID', asked: true },
  },
  {
    when: 'never stops sending',
    script: { onOpen: (socket) => void socket.write(Buffer.alloc(300_000, answerBytes('other', 'x'.repeat(30_000)))) },
    end: { kind: 'failed', code: 'ANSWER_INVALID', asked: false },
  },
];
