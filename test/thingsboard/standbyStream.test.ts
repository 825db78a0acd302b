import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type StandbyStream, standbyStream } from '../../src/thingsboard/standbyStream.ts';
import { heldResources, plainServer, releasedTo, tlsServer } from '../support/exchangeCalls.ts';
import { startRawServer } from '../support/rawMqttServer.ts';
import { until } from '../support/until.ts';

function newStandby(): StandbyStream {
  const standby = standbyStream();
  onTestFinished(() => standby.close());
  return standby;
}

describe('standbyStream', () => {
  it('hands over the connection once', async () => {
    const server = await startRawServer({});
    const standby = newStandby();
    standby.open(plainServer(server.port));
    const taken = standby.take(plainServer(server.port));
    onTestFinished(() => void taken?.socket.destroy());
    expect(taken?.socket).toMatchObject({ destroyed: false });
    expect(standby.take(plainServer(server.port))).toBeUndefined();
  });

  it('has no connection before open', () => {
    expect(newStandby().take(plainServer(1))).toBeUndefined();
  });

  it('opens one at a time', async () => {
    const server = await startRawServer({});
    const standby = newStandby();
    standby.open(plainServer(server.port));
    standby.open(plainServer(server.port));
    await until(() => server.connections.length > 0, 'the connection');
    standby.close();
    await server.allClosed();
    expect(server.connections).toHaveLength(1);
  });

  it.each([
    ['another host', (port: number) => plainServer(port, 'localhost')],
    ['another port', (port: number) => plainServer(port - 1)],
    ['TLS', (port: number) => tlsServer(port)],
    ['another authority', (port: number) => ({ ...tlsServer(port, 'PEM'), useSsl: false })],
  ])('is not used for %s, and closed', async (_what, other) => {
    const server = await startRawServer({});
    const standby = newStandby();
    standby.open(plainServer(server.port));
    await until(() => server.connections.length > 0, 'the connection');
    expect(standby.take(other(server.port))).toBeUndefined();
    await server.allClosed();
  });

  it.each([
    ['closes', (end: () => void) => end()],
    ['sends first', (_end: () => void, write: () => void) => write()],
  ])('is dropped when the server %s', async (_what, does) => {
    const server = await startRawServer({
      onOpen: (socket) =>
        does(
          () => void socket.end(),
          () => void socket.write('220 ready'),
        ),
    });
    const standby = newStandby();
    standby.open(plainServer(server.port));
    await server.allClosed();
    expect(standby.take(plainServer(server.port))).toBeUndefined();
  });

  it('ignores a refused connection, and can be opened again', async () => {
    const vacant = createServer().listen(0, '127.0.0.1');
    await once(vacant, 'listening');
    const address = vacant.address();
    if (address === null || typeof address === 'string') throw new Error('no TCP address');
    vacant.close();
    const before = heldResources();
    const standby = newStandby();
    standby.open(plainServer(address.port));
    await releasedTo(before);
    expect(standby.take(plainServer(address.port))).toBeUndefined();
    const server = await startRawServer({});
    standby.open(plainServer(server.port));
    await until(() => server.connections.length > 0, 'the connection');
  });

  it('leaves nothing behind when it is not taken', async () => {
    const server = await startRawServer({});
    const before = heldResources();
    const standby = newStandby();
    standby.open(plainServer(server.port));
    standby.close();
    standby.close();
    await releasedTo(before);
  });
});
