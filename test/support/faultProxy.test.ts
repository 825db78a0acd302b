import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { connectPacket } from '../simulator/mqttClients.ts';
import { type FaultProxyOptions, type NetworkFault, startFaultProxy } from './faultProxy.ts';
import { splitMqtt, splitTls } from './packetBoundaries.ts';
import { connackBytes } from './rawMqttServer.ts';
import { until } from './until.ts';

const CONNECT = connectPacket({ clientId: 'camera', username: 'token' });
const PING = Buffer.from([0xc0, 0]);

/** A server behind a proxy with this fault. It records the received bytes, and answers the first ones with CONNACK. */
async function behind(fault?: FaultProxyOptions['fault']) {
  let received = Buffer.alloc(0);
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    socket.once('data', () => socket.write(connackBytes()));
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no TCP address');
  const proxy = await startFaultProxy({ targetPort: address.port, framing: 'mqtt', ...(fault ? { fault } : {}) });
  const client = connect({ port: proxy.port, host: '127.0.0.1' });
  let answered = Buffer.alloc(0);
  let ended = '';
  client.on('data', (chunk: Buffer) => {
    answered = Buffer.concat([answered, chunk]);
  });
  client.on('error', (error) => {
    ended = 'code' in error ? String(error.code) : error.message;
  });
  client.on('close', () => {
    ended ||= 'closed';
  });
  onTestFinished(async () => {
    client.destroy();
    await proxy.close();
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  client.write(Buffer.concat([CONNECT, PING]));
  return { proxy, received: () => received, answered: () => answered, ended: () => ended };
}

const at = (fault: NetworkFault, packet = 2) => ({ connection: 1, direction: 'toServer' as const, packet, fault });
const flip = (bytes: Buffer, index: number, bits: number): Buffer => {
  const copy = Buffer.from(bytes);
  copy[index] = (copy[index] ?? 0) ^ bits;
  return copy;
};

test('without a fault all bytes arrive, and the proxy sees every packet', async () => {
  const run = await behind();
  await until(() => run.received().length === CONNECT.length + PING.length && run.answered().length === 4);
  expect(run.received()).toEqual(Buffer.concat([CONNECT, PING]));
  expect(run.answered()).toEqual(connackBytes());
  expect(run.proxy.fired()).toBe(0);
  expect(run.proxy.seen.map(({ direction, packet }) => `${direction} ${packet}`).sort()).toEqual([
    'toClient 1',
    'toServer 1',
    'toServer 2',
  ]);
});

test.each([
  ['cut', CONNECT],
  ['tear', Buffer.concat([CONNECT, PING.subarray(0, 1)])],
  ['duplicate', Buffer.concat([CONNECT, PING, PING])],
  ['singleBytes', Buffer.concat([CONNECT, PING])],
  ['delay', Buffer.concat([CONNECT, PING])],
  ['corruptType', Buffer.concat([CONNECT, flip(PING, 0, 0xff)])],
  ['corruptLength', Buffer.concat([CONNECT, flip(PING, 1, 0x40)])],
  ['corruptEnd', Buffer.concat([CONNECT, flip(PING, 1, 0x01)])],
] as const)('%s changes the second packet', async (fault, expected) => {
  const run = await behind(at(fault));
  await until(() => run.proxy.fired() === 1 && run.received().length >= expected.length);
  if (fault === 'cut' || fault === 'tear') await until(() => run.ended() !== '');
  expect(run.received()).toEqual(expected);
});

test('corruptBody flips one bit in the middle of the bytes after the header', async () => {
  const run = await behind(at('corruptBody', 1));
  await until(() => run.received().length === CONNECT.length + PING.length);
  const differing = [...run.received()].filter((byte, index) => byte !== Buffer.concat([CONNECT, PING])[index]);
  expect(differing).toHaveLength(1);
});

test('reset ends the connection with a reset', async () => {
  const run = await behind(at('reset'));
  await until(() => run.ended() !== '');
  expect(run.ended()).toBe('ECONNRESET');
});

test('stall holds the packet back until the proxy is healed', async () => {
  const run = await behind(at('stall'));
  await until(() => run.proxy.fired() === 1 && run.answered().length === 4);
  expect(run.received()).toEqual(CONNECT);
  run.proxy.heal();
  await until(() => run.received().length === CONNECT.length + PING.length);
});

test('packets and records are split off from chunks of any size', () => {
  const record = Buffer.from([22, 3, 3, 0, 2, 7, 8]);
  for (const [split, whole] of [
    [splitMqtt, [CONNECT, PING]],
    [splitTls, [record, record]],
  ] as const) {
    const bytes = Buffer.concat(whole);
    expect(split()(bytes)).toEqual(whole);
    const bytewise = split();
    expect([...bytes].flatMap((byte) => bytewise(Buffer.of(byte)))).toEqual(whole);
  }
});
