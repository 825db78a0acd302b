/** The bytes that an exchange sends, its limits and messages, and that it leaves no resources behind. */

import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { packet, simulate, TYPE, wait } from '../simulator/mqttClients.ts';
import {
  ANSWER_TOPIC,
  ask,
  failureIn,
  heldResources,
  plainServer,
  QUESTION_TOPIC,
  releasedTo,
  summaryOf,
} from '../support/exchangeCalls.ts';
import {
  answerBytes,
  connackBytes,
  payloadOf,
  pubackBytes,
  type RawScript,
  type RawServer,
  startRawServer,
  topicOf,
} from '../support/rawMqttServer.ts';

const ANSWER = '{"status":"SUCCESS"}';
/** For the packet identifier that the server does not check. */
const PUBACK = packet(TYPE.PUBACK, 0, Buffer.from([0, 1]));
const SHORT_MS = 100;
const answered = (text = ANSWER) => ({ kind: 'answer', text });
const accept = (socket: Socket): void => void socket.write(connackBytes());
function send(bytes: Uint8Array): (socket: Socket) => void {
  return (socket) => {
    socket.write(bytes);
  };
}

describe('an exchange sends', () => {
  it('one CONNECT with a clean session of MQTT 3.1.1, one SUBSCRIBE and one PUBLISH with QoS 1', async () => {
    const server: RawServer = await startRawServer({
      onConnect: accept,
      onPublish: (socket) => {
        const publish = server.connections[0]?.received.find(({ type }) => type === TYPE.PUBLISH);
        if (publish !== undefined) socket.write(pubackBytes(publish.bytes));
        socket.write(answerBytes(ANSWER_TOPIC, ANSWER));
      },
    });
    await ask(plainServer(server.port));
    await server.allClosed();
    const [connect, subscribe, publish, ...more] = server.connections[0]?.received ?? [];
    // Level 4 is 3.1.1; flags: user name and clean session; keep-alive 0.
    expect(connect?.bytes.subarray(2, 12)).toEqual(Buffer.from([0, 4, ...Buffer.from('MQTT'), 4, 0x82, 0, 0]));
    expect(subscribe?.bytes[0]).toBe(0x82);
    expect(publish?.bytes[0]).toBe(0x32);
    if (publish === undefined) throw new Error('no PUBLISH');
    expect(topicOf(publish)).toBe('/provision/request');
    expect(payloadOf(publish)).toBe('{"question":1}');
    expect(more).toEqual([]);
  });

  it('no SUBSCRIBE if none is requested', async () => {
    const server = await startRawServer({ onConnect: accept, onPublish: send(answerBytes('there', ANSWER)) });
    const question = { topic: 'here', payload: '{}', answerTopic: 'there', subscribe: false };
    expect(summaryOf(await ask(plainServer(server.port), { question }))).toEqual(answered());
    expect(server.count(8)).toBe(0);
  });

  it('and reports its stages in order', async () => {
    const stages: string[] = [];
    const server = await startRawServer({ onConnect: accept, onPublish: send(answerBytes(ANSWER_TOPIC, ANSWER)) });
    await ask(plainServer(server.port), { onStage: (stage) => stages.push(stage) });
    expect(stages).toEqual(['connected', 'asked']);
  });
});

describe('the limit for the answer', () => {
  it('starts at CONNACK, and ends the exchange before the overall limit', async () => {
    const before = heldResources();
    const server = await startRawServer({ onConnect: accept });
    const end = await ask(plainServer(server.port), { answerTimeoutMs: SHORT_MS, timeoutMs: 60_000 });
    expect(end).toMatchObject({ asked: true });
    expect(failureIn(end).code).toBe('ANSWER_TIMEOUT');
    expect(failureIn(end).message).toBe(
      `127.0.0.1:${server.port} accepted the connection, but did not answer the request within 0.1 s`,
    );
    await releasedTo(before);
  });

  it('does not start before CONNACK', async () => {
    const server = await startRawServer({
      onConnect: async (socket): Promise<void> => {
        await wait(2 * SHORT_MS);
        accept(socket);
      },
      onPublish: send(answerBytes(ANSWER_TOPIC, ANSWER)),
    });
    expect(summaryOf(await ask(plainServer(server.port), { answerTimeoutMs: 1.5 * SHORT_MS }))).toEqual(answered());
  });
});

describe('the message of a failure', () => {
  it.each<[string, RawScript, number]>([
    ['closed the connection before it accepted it', { onOpen: (socket) => void socket.end() }, 5000],
    ['closed the connection before it answered', { onConnect: (socket) => void socket.end(connackBytes()) }, 5000],
    ['is reachable, but did not accept the MQTT connection within 0.2 s', {}, 2 * SHORT_MS],
    ['answers in HTTP, not in MQTT', { onConnect: send(Buffer.from('HTTP/1.1 400 Bad Request\r\n')) }, 5000],
  ])('says that the server "%s"', async (text, script, timeoutMs) => {
    const { port } = await startRawServer(script);
    const { message } = failureIn(await ask(plainServer(port), { timeoutMs }));
    expect(message).toBe(`127.0.0.1:${port} ${text}`);
  });
});

describe('after an acknowledgement (PUBACK) without an answer', () => {
  const acknowledge = (then: (socket: Socket) => void): RawScript => ({
    onConnect: accept,
    onPublish: (socket) => socket.write(PUBACK, () => then(socket)),
  });

  it.each<[string, (socket: Socket) => void, string, string]>([
    ['closes', (socket) => void socket.end(), 'CONNECTION_LOST', ', then closed the connection without an answer'],
    [
      'resets',
      (socket) => void setTimeout(() => socket.resetAndDestroy(), 20),
      'CONNECTION_LOST',
      ', then closed the connection without an answer',
    ],
    ['is silent', () => {}, 'ANSWER_TIMEOUT', ', but did not answer it within 0.2 s'],
  ])('a server that %s has taken the request, and the hint names both causes', async (_what, then, code, says) => {
    const { port } = await startRawServer(acknowledge(then));
    const end = await ask(plainServer(port), { answerTimeoutMs: 2 * SHORT_MS });
    expect(summaryOf(end)).toEqual({ kind: 'failed', code, asked: true });
    expect(failureIn(end).message).toBe(`127.0.0.1:${port} acknowledged the request (PUBACK)${says}`);
    expect(failureIn(end).hint).toMatch(/back end has failed .* X509_CERTIFICATE_CHAIN/);
  });
});

describe('two hundred exchanges one after the other', () => {
  it('with one signal leave nothing behind, cause no warning, and ask once each', async () => {
    const warnings: unknown[] = [];
    const warned = (warning: unknown): void => void warnings.push(warning);
    process.on('warning', warned);
    const simulator = await simulate();
    const before = heldResources();
    const { signal } = new AbortController();
    const payload = JSON.stringify({ provisionDeviceKey: 'unknown', provisionDeviceSecret: 'unknown' });
    const question = { topic: QUESTION_TOPIC, payload, answerTopic: ANSWER_TOPIC, subscribe: true };
    for (let i = 0; i < 200; i += 1) {
      const end = await ask(plainServer(simulator.port), { signal, question });
      expect(summaryOf(end)).toEqual(answered('{"errorMsg":"Provision data was not found!","status":"NOT_FOUND"}'));
    }
    await releasedTo(before);
    process.off('warning', warned);
    expect(warnings).toEqual([]);
    expect(simulator.registry.counts).toMatchObject({ connects: 200, provisionRequests: 200 });
  });
});
