import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type SpareStream, spareStream } from '../../src/thingsboard/spareStream.ts';
import { until } from '../simulator/mqttClients.ts';
import { heldResources, plainServer, releasedTo, tlsServer } from '../support/exchangeCalls.ts';
import { startRawServer } from '../support/rawMqttServer.ts';

function newSpare(): SpareStream {
  const spare = spareStream();
  onTestFinished(() => spare.close());
  return spare;
}

describe('spareStream', () => {
  it('gives the connection once', async () => {
    const server = await startRawServer({});
    const spare = newSpare();
    spare.open(plainServer(server.port));
    const taken = spare.take(plainServer(server.port));
    onTestFinished(() => void taken?.destroy());
    expect(taken?.remotePort ?? taken?.connecting).toBeTruthy();
    expect(spare.take(plainServer(server.port))).toBeUndefined();
  });

  it('has none before it is opened', () => {
    expect(newSpare().take(plainServer(1))).toBeUndefined();
  });

  it('opens one at a time', async () => {
    const server = await startRawServer({});
    const spare = newSpare();
    spare.open(plainServer(server.port));
    spare.open(plainServer(server.port));
    await until(() => server.connections.length > 0, 'the connection');
    spare.close();
    await server.allClosed();
    expect(server.connections).toHaveLength(1);
  });

  it.each([
    ['another host', (port: number) => plainServer(port, 'localhost')],
    ['another port', (port: number) => plainServer(port - 1)],
    ['TLS', (port: number) => tlsServer(port)],
    ['another authority', (port: number) => ({ ...plainServer(port), ca: 'PEM' })],
  ])('is not used for %s, and closed', async (_what, other) => {
    const server = await startRawServer({});
    const spare = newSpare();
    spare.open(plainServer(server.port));
    await until(() => server.connections.length > 0, 'the connection');
    expect(spare.take(other(server.port))).toBeUndefined();
    await server.allClosed();
  });

  it.each([
    ['closes', (end: () => void) => end()],
    ['speaks first', (_end: () => void, write: () => void) => write()],
  ])('is none any more once the server %s', async (_what, does) => {
    const server = await startRawServer({
      onOpen: (socket) =>
        does(
          () => void socket.end(),
          () => void socket.write('220 ready'),
        ),
    });
    const spare = newSpare();
    spare.open(plainServer(server.port));
    await server.allClosed();
    expect(spare.take(plainServer(server.port))).toBeUndefined();
  });

  it('swallows a refused connection, and can be opened again', async () => {
    const vacant = createServer().listen(0, '127.0.0.1');
    await once(vacant, 'listening');
    const address = vacant.address();
    if (address === null || typeof address === 'string') throw new Error('no TCP address');
    vacant.close();
    const before = heldResources();
    const spare = newSpare();
    spare.open(plainServer(address.port));
    await releasedTo(before);
    expect(spare.take(plainServer(address.port))).toBeUndefined();
    const server = await startRawServer({});
    spare.open(plainServer(server.port));
    await until(() => server.connections.length > 0, 'the connection');
  });

  it('leaves nothing behind when nobody takes it', async () => {
    const server = await startRawServer({});
    const before = heldResources();
    const spare = newSpare();
    spare.open(plainServer(server.port));
    spare.close();
    spare.close();
    await releasedTo(before);
  });
});
