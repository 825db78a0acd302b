import { createServer, type Server, type Socket } from 'node:net';
import fc from 'fast-check';
import { expect } from 'vitest';
import { exchange } from '../../src/thingsboard/exchange.ts';
import { packet, publishPacket, TYPE } from '../simulator/mqttClients.ts';
import { type Property, propertyOf } from '../support/property.ts';

const TOKEN = 'ZQJX7Q9ZXJ';
const ANSWER_TOPIC = '/provision/response';
/** For a server that sends nothing more and keeps the connection open. */
const TIMEOUT_MS = 150;
/** Allowance for a busy machine, on top of the exchange's own limit. */
const SLACK_MS = 10_000;

const answer = fc.constantFrom(
  `{"credentialsValue":"${TOKEN}","credentialsType":"ACCESS_TOKEN","status":"SUCCESS"}`,
  '{"errorMsg":"Failed to provision device!","status":"FAILURE"}',
  '',
);
const bytesSent: fc.Arbitrary<Buffer> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(0, 0, 0, 1, 2, 3, 4, 5, 6, 255).map(connack) },
  {
    weight: 4,
    arbitrary: fc
      .tuple(fc.constantFrom(ANSWER_TOPIC, ANSWER_TOPIC, 'other', ''), answer)
      .map(([topic, text]) => publishPacket(topic, text, 7)),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.integer({ min: 0, max: 15 }), fc.integer({ min: 0, max: 15 }), fc.uint8Array({ maxLength: 20 }))
      .map(([type, flags, body]) => packet(type, flags, Buffer.from(body))),
  },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)) },
  { weight: 1, arbitrary: fc.constant(Buffer.alloc(200_000, 0x30)) },
);

function connack(returnCode: number): Buffer {
  return packet(TYPE.CONNACK, 0, Buffer.from([0, returnCode]));
}

interface Conversation {
  /** The bytes after CONNECT, then the bytes after the question, or after a pause if none is asked. */
  readonly says: readonly Buffer[];
  readonly ending: 'close' | 'reset' | 'silence';
}
const accepted = fc.tuple(fc.constant(connack(0)), bytesSent, bytesSent).map(([...says]): Buffer[] => says);
const conversation: fc.Arbitrary<Conversation> = fc.record({
  says: fc.oneof(accepted, fc.array(bytesSent, { maxLength: 5 })),
  ending: fc.constantFrom('close', 'close', 'close', 'close', 'reset', 'reset', 'silence'),
});

/** How long the server waits for a question. */
const PATIENCE_MS = 20;

function converse(socket: Socket, { says, ending }: Conversation): void {
  const [first, ...others] = says;
  const goOn = (): void => {
    clearTimeout(timer);
    if (socket.destroyed) return;
    for (const bytes of others.splice(0)) socket.write(bytes);
    if (ending === 'close') socket.end();
    if (ending === 'reset') setImmediate(() => socket.resetAndDestroy());
  };
  let timer: NodeJS.Timeout | undefined;
  socket.on('error', () => {});
  socket.once('data', () => {
    if (first !== undefined) socket.write(first);
    timer = setTimeout(goOn, PATIENCE_MS);
    socket.once('data', goOn);
  });
}

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no TCP address');
  return address.port;
}

export const exchangeProperty: Property = propertyOf(
  'an exchange: it ends in time with any bytes from the server, and shows none of them',
  200,
  conversation,
  async () => {
    let current: Conversation = { says: [], ending: 'close' };
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
      converse(socket, current);
    });
    const port = await listening(server);
    const kinds = new Set<string>();
    return {
      async check(value) {
        current = value;
        const startedAt = performance.now();
        const end = await exchange({
          server: { host: '127.0.0.1', port, useSsl: false },
          clientId: 'camera-1',
          username: 'provision',
          question: { topic: '/provision/request', payload: '{}', answerTopic: ANSWER_TOPIC, subscribe: true },
          timeoutMs: TIMEOUT_MS,
          signal: new AbortController().signal,
        });
        kinds.add(end.kind);
        expect(performance.now() - startedAt).toBeLessThan(TIMEOUT_MS + SLACK_MS);
        if (end.kind !== 'failed') return;
        const { message, hint, cause } = end.failure;
        expect(`${message} ${hint} ${cause instanceof Error ? cause.message : ''}`).not.toContain('ZQJX');
      },
      finish: () => expect([...kinds].sort()).toEqual(['answer', 'failed', 'refused']),
      close: () =>
        new Promise((resolve) => {
          for (const socket of sockets) socket.destroy();
          server.close(() => resolve());
        }),
    };
  },
);
