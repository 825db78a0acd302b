import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { DeviceCredentials } from '../../src/deviceCredentials.ts';
import { Secret } from '../../src/secret.ts';
import { type Proof, proveCredentials } from '../../src/thingsboard/proveCredentials.ts';
import { type StandbyStream, standbyStream } from '../../src/thingsboard/standbyStream.ts';
import { everyWordOf } from '../config/scratch.ts';
import { simulate, TYPE } from '../simulator/mqttClients.ts';
import { accessToken } from '../support/accessToken.ts';
import { heldResources, plainServer, releasedTo } from '../support/exchangeCalls.ts';
import { answerBytes, connackBytes, payloadOf, startRawServer, topicOf } from '../support/rawMqttServer.ts';
import { startPlainBroker } from '../support/strangeServers.ts';
import { until } from '../support/until.ts';

const TOKEN = new Secret('token-of-the-camera-1');
const ANSWER_TOPIC = 'v1/devices/me/attributes/response/1';
const camera = { name: 'camera-1', credentials: { type: 'ACCESS_TOKEN', token: TOKEN.reveal() } } as const;

const prove = (
  port: number,
  changes: { timeoutMs?: number; credentials?: DeviceCredentials; signal?: AbortSignal; standby?: StandbyStream } = {},
): Promise<Proof> =>
  proveCredentials({
    server: plainServer(port),
    credentials: { type: 'ACCESS_TOKEN', token: TOKEN },
    deviceName: 'camera-1',
    timeoutMs: 5000,
    signal: new AbortController().signal,
    ...changes,
  });

/** The verdict. Checks that its texts do not contain the token. */
function summaryOf(proof: Proof): string {
  if (!('failure' in proof)) return proof.kind;
  expect(everyWordOf(proof.failure)).not.toContain(TOKEN.reveal().slice(0, 8));
  return `${proof.kind}: ${proof.failure.code}`;
}

/** A server that accepts, and answers the request for attributes with this payload. */
const answering = (payload: string) =>
  startRawServer({
    onConnect: (socket) => void socket.write(connackBytes()),
    onPublish: (socket) => void socket.write(answerBytes(ANSWER_TOPIC, payload)),
  });

describe('proveCredentials', () => {
  it('proves a token that the server knows, with one question and no subscription', async () => {
    const simulator = await simulate({ devices: [camera] });
    const before = heldResources();
    expect(await prove(simulator.port)).toEqual({ kind: 'proven' });
    expect(simulator.registry.counts).toMatchObject({ deviceConnects: 1, attributeRequests: 1 });
    await releasedTo(before);
  });

  it('sends the token as the user name, and asks for an attribute', async () => {
    const server = await answering('{}');
    expect(await prove(server.port)).toEqual({ kind: 'proven' });
    const [connect, publish, ...more] = server.connections[0]?.received ?? [];
    if (connect === undefined || publish === undefined) throw new Error('no CONNECT and PUBLISH');
    expect(connect.bytes.toString('latin1').endsWith(`camera-1\0${'\x15'}${TOKEN.reveal()}`)).toBe(true);
    expect(publish.type).toBe(TYPE.PUBLISH);
    expect(topicOf(publish)).toBe('v1/devices/me/attributes/request/1');
    expect(JSON.parse(payloadOf(publish))).toEqual({ clientKeys: 'provisioning' });
    expect(more).toEqual([]);
  });

  it('reports that the server does not know the token', async () => {
    const simulator = await simulate({ devices: [camera] });
    expect(await prove(simulator.port, { credentials: accessToken('another') })).toEqual({ kind: 'refused' });
  });

  it.each([
    [1, 'failed: NOT_THINGSBOARD'],
    [2, 'failed: CONNECTION_NOT_ACCEPTED'],
    [3, 'failed: SERVER_UNAVAILABLE'],
    [4, 'refused'],
    [5, 'refused'],
  ])('reports CONNACK %i as "%s"', async (returnCode, expected) => {
    const server = await startRawServer({ onConnect: (socket) => void socket.end(connackBytes(returnCode)) });
    expect(summaryOf(await prove(server.port))).toBe(expected);
  });

  it.each(['{}', '{"client":{"provisioning":1}}', '{"shared":{}}'])('is proven by the answer %s', async (payload) => {
    expect(await prove((await answering(payload)).port)).toEqual({ kind: 'proven' });
  });

  it.each(['', 'no', '[]', 'null', '7', '{"client":'])('is not proven by the answer "%s"', async (payload) => {
    expect(summaryOf(await prove((await answering(payload)).port))).toBe('accepted: NOT_THINGSBOARD');
  });

  it('is not proven by a plain broker, which accepts every client', async () => {
    const port = await startPlainBroker(onTestFinished);
    expect(summaryOf(await prove(port, { timeoutMs: 500 }))).toBe('accepted: NOT_THINGSBOARD');
  });

  it('waits 5 s at most for the attributes of a device, however long the limit of the exchange is', async () => {
    const server = await startRawServer({ onConnect: (socket) => void socket.write(connackBytes()) });
    const timers = vi.spyOn(globalThis, 'setTimeout');
    onTestFinished(() => timers.mockRestore());
    const controller = new AbortController();
    const proof = prove(server.port, { timeoutMs: 30_000, signal: controller.signal });
    await until(() => timers.mock.calls.some(([, ms]) => ms === 5000), 'the limit for the answer');
    controller.abort(new Error('enough'));
    await expect(proof).rejects.toThrow('enough');
  });

  it.each([
    ['silence before CONNACK', {}, 'failed: ANSWER_TIMEOUT'],
    ['a close', { onConnect: 'close' }, 'failed: CONNECTION_LOST'],
    ['a close instead of an answer', { onConnect: 'accept', onPublish: 'close' }, 'failed: CONNECTION_LOST'],
  ] as const)('has no result after %s', async (_what, script: { onConnect?: string; onPublish?: string }, expected) => {
    const server = await startRawServer({
      onConnect: (socket) => {
        if (script.onConnect === 'close') socket.end();
        if (script.onConnect === 'accept') socket.write(connackBytes());
      },
      onPublish: (socket) => void (script.onPublish === 'close' && socket.end()),
    });
    expect(summaryOf(await prove(server.port, { timeoutMs: 500 }))).toBe(expected);
  });

  it('is ended by the signal', async () => {
    const controller = new AbortController();
    const server = await startRawServer({ onConnect: () => controller.abort(new Error('enough')) });
    await expect(prove(server.port, { signal: controller.signal })).rejects.toThrow('enough');
    await server.allClosed();
  });

  it('asks directly after CONNECT, and accepts an answer that directly follows CONNACK', async () => {
    const server = await startRawServer({
      // The server waits for both packets, so a client that waits for CONNACK first would wait for ever.
      onPublish: (socket) =>
        void socket.write(Buffer.concat([connackBytes(), answerBytes(ANSWER_TOPIC, '{"provisioning":1}')])),
    });
    expect(await prove(server.port)).toEqual({ kind: 'proven' });
    expect(server.connections[0]?.received.map(({ type }) => type).slice(0, 2)).toEqual([TYPE.CONNECT, TYPE.PUBLISH]);
  });

  it('ignores an answer of a server that has not accepted the connection', async () => {
    const server = await startRawServer({ onPublish: (socket) => void socket.write(answerBytes(ANSWER_TOPIC, '{}')) });
    expect(summaryOf(await prove(server.port, { timeoutMs: 300 }))).toBe('failed: ANSWER_TIMEOUT');
  });

  it('notices a refusal although it has already asked', async () => {
    const server = await startRawServer({ onPublish: (socket) => void socket.write(connackBytes(5)) });
    expect(await prove(server.port)).toEqual({ kind: 'refused' });
  });
});

describe('the standby connection', () => {
  const opened = (port: number): StandbyStream => {
    const standby = standbyStream();
    onTestFinished(() => standby.close());
    standby.open(plainServer(port));
    return standby;
  };

  it('is used', async () => {
    const server = await answering('{}');
    const standby = opened(server.port);
    await until(() => server.connections.length === 1, 'the connection');
    expect(await prove(server.port, { standby })).toEqual({ kind: 'proven' });
    expect(server.connections).toHaveLength(1);
  });

  it('is used even before its handshake is done', async () => {
    const server = await answering('{}');
    expect(await prove(server.port, { standby: opened(server.port) })).toEqual({ kind: 'proven' });
    expect(server.connections).toHaveLength(1);
  });

  it('fails like an ordinary connection when the server closes it', async () => {
    const server = await startRawServer({ onConnect: (socket) => void socket.destroy() });
    expect(summaryOf(await prove(server.port, { standby: opened(server.port) }))).toBe('failed: CONNECTION_LOST');
    expect(server.connections).toHaveLength(1);
  });
});
