/** How an exchange ends with a server that answers correctly, wrongly, late or never. */

import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { TYPE, wait } from '../simulator/mqttClients.ts';
import { ANSWER_TOPIC, ask, heldResources, plainServer, releasedTo, summaryOf } from '../support/exchangeCalls.ts';
import {
  ANSWER,
  accept,
  answered,
  EXCHANGE_CASES,
  PUBACK,
  SHORT_MS,
  sendAndClose,
  silent,
} from '../support/exchangeCases.ts';
import { answerBytes, connackBytes, startRawServer } from '../support/rawMqttServer.ts';

describe('an exchange with a server that', () => {
  it.each(EXCHANGE_CASES)('$when', async ({ script, end, limit }) => {
    const before = heldResources();
    const server = await startRawServer(script);

    const ended = await ask(plainServer(server.port), limit === undefined ? {} : { [limit]: SHORT_MS });

    expect(summaryOf(ended)).toEqual(end);
    await server.allClosed();
    expect(server.connections).toHaveLength(1);
    expect(server.count(TYPE.PUBLISH)).toBe(end.asked === false ? 0 : 1);
    await releasedTo(before);
  });

  it.each([1, 2, 3, 4, 5, 6, 255])('refuses with CONNACK %i', async (returnCode) => {
    const before = heldResources();
    const server = await startRawServer({ onConnect: sendAndClose(connackBytes(returnCode)) });
    expect(await ask(plainServer(server.port))).toEqual({ kind: 'refused', returnCode });
    await server.allClosed();
    expect(server.count(TYPE.PUBLISH)).toBe(0);
    await releasedTo(before);
  });

  it('sends every byte separately', async () => {
    const inBytes = (bytes: Buffer) => async (socket: Socket) => {
      for (const byte of bytes) {
        socket.write(Buffer.from([byte]));
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    const server = await startRawServer({
      onConnect: inBytes(connackBytes()),
      onPublish: inBytes(Buffer.concat([PUBACK, answerBytes(ANSWER_TOPIC, ANSWER)])),
    });
    expect(summaryOf(await ask(plainServer(server.port)))).toEqual(answered());
    expect(server.count(TYPE.PUBLISH)).toBe(1);
  });

  it('answers after the time limit: the answer is ignored, and no connection remains', async () => {
    const before = heldResources();
    const server = await startRawServer({
      onConnect: accept,
      onPublish: async (socket) => {
        await wait(SHORT_MS);
        socket.write(answerBytes(ANSWER_TOPIC, ANSWER));
      },
    });
    expect(summaryOf(await ask(plainServer(server.port), { answerTimeoutMs: SHORT_MS / 2 }))).toEqual(silent(true));
    await server.allClosed();
    await wait(SHORT_MS);
    expect(server.connections).toHaveLength(1);
    await releasedTo(before);
  });
});
