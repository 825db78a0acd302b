/** Two kinds of clients for the simulator: MQTT.js, and raw bytes for packets that MQTT.js never sends. */

import { connect as connectSocket, type Socket } from 'node:net';
import mqtt, { type IClientOptions, type MqttClient, type Packet } from 'mqtt';
import { onTestFinished } from 'vitest';
import {
  DEFAULT_DEVICE_KEY,
  DEFAULT_DEVICE_SECRET,
  type Simulator,
  type SimulatorOptions,
  startSimulator,
} from '../../src/simulator/simulator.ts';
import { until } from '../support/until.ts';

export const REQUEST = '/provision/request';
export const RESPONSE = '/provision/response';
export const KEYS = { provisionDeviceKey: DEFAULT_DEVICE_KEY, provisionDeviceSecret: DEFAULT_DEVICE_SECRET };

/** A simulator that ends with the test. */
export async function simulate(options: SimulatorOptions = {}): Promise<Simulator> {
  const simulator = await startSimulator(options);
  onTestFinished(() => simulator.close());
  return simulator;
}

export const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** An MQTT.js client and everything that it received, in order: packets as `cmd` or `cmd:detail`, then `close`. */
export interface RecordedClient {
  readonly client: MqttClient;
  readonly received: string[];
  readonly payloads: { topic: string; text: string; qos: number }[];
}

function describePacket(packet: Packet): string {
  switch (packet.cmd) {
    case 'connack':
      return `connack:${packet.returnCode}`;
    case 'publish':
      return `publish:${packet.topic}`;
    case 'suback':
      return `suback:${packet.granted.join()}`;
    default:
      return packet.cmd;
  }
}

export function open(url: string, options: IClientOptions = {}): RecordedClient {
  const client = mqtt.connect(url, { reconnectPeriod: 0, resubscribe: false, keepalive: 0, ...options });
  onTestFinished(() => {
    client.end(true);
  });
  const recorded: RecordedClient = { client, received: [], payloads: [] };
  client.on('packetreceive', (packet) => {
    recorded.received.push(describePacket(packet));
    if (packet.cmd === 'publish') {
      recorded.payloads.push({ topic: packet.topic, text: packet.payload.toString(), qos: packet.qos });
    }
  });
  client.on('error', () => {});
  client.on('close', () => recorded.received.push('close'));
  return recorded;
}

/** An open connection, after CONNACK or the refusal. */
export async function connected(url: string, options: IClientOptions = {}): Promise<RecordedClient> {
  const recorded = open(url, options);
  await until(() => recorded.received.length > 0, 'CONNACK');
  return recorded;
}

export const openProvision = (simulator: Simulator): Promise<RecordedClient> =>
  connected(simulator.url, { username: 'provision' });

export const openDevice = (
  simulator: Simulator,
  token: string,
  options: IClientOptions = {},
): Promise<RecordedClient> => connected(simulator.url, { username: token, ...options });

/** Sends one provisioning request on its own connection and returns the response. */
export async function provision(simulator: Simulator, request: object): Promise<Record<string, unknown>> {
  const recorded = await openProvision(simulator);
  recorded.client.publish(REQUEST, JSON.stringify(request), { qos: 1 });
  const { text } = await until(() => recorded.payloads[0], 'a response');
  recorded.client.end(true);
  return JSON.parse(text);
}

/** Sends a payload as a request and returns everything received up to the close. */
export async function requestUntilClose(simulator: Simulator, payload: string | Buffer): Promise<string[]> {
  const recorded = await openProvision(simulator);
  recorded.client.publish(REQUEST, payload, { qos: 1 });
  await until(() => recorded.received.includes('close'), 'the close');
  return recorded.received.slice(1);
}

/** MQTT 3.1.1 section 2.2.1 and 3.1: packet types. */
export const TYPE = { CONNECT: 1, CONNACK: 2, PUBLISH: 3, PUBACK: 4, PINGREQ: 12, PINGRESP: 13 };

const mqttString = (text: string): Buffer => {
  const bytes = Buffer.from(text);
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes]);
};

/** Fixed header and body (MQTT 3.1.1 section 2.2). */
export function packet(type: number, flags: number, ...parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  const length: number[] = [];
  let rest = body.length;
  do {
    length.push((rest % 128) | (rest >= 128 ? 0x80 : 0));
    rest = Math.floor(rest / 128);
  } while (rest > 0);
  return Buffer.concat([Buffer.from([(type << 4) | flags, ...length]), body]);
}

export interface RawConnect {
  readonly clientId?: string;
  readonly username?: string;
  readonly password?: string;
  readonly will?: { topic: string; payload: string; retain?: boolean };
  readonly clean?: boolean;
  readonly keepalive?: number;
  readonly level?: number;
}

export function connectPacket(connect: RawConnect): Buffer {
  const { clientId = 'raw', username, password, will, clean = true, keepalive = 0, level = 4 } = connect;
  const flags =
    (username === undefined ? 0 : 0x80) |
    (password === undefined ? 0 : 0x40) |
    (will === undefined ? 0 : 0x04 | (will.retain === true ? 0x20 : 0)) |
    (clean ? 0x02 : 0);
  const fields = [clientId, will?.topic, will?.payload, username, password].filter((text) => text !== undefined);
  const properties = level === 5 ? [Buffer.from([0])] : [];
  return packet(
    TYPE.CONNECT,
    0,
    mqttString('MQTT'),
    Buffer.from([level, flags, keepalive >> 8, keepalive & 0xff]),
    ...properties,
    ...fields.map(mqttString),
  );
}

export const publishPacket = (topic: string, payload: string, messageId = 1, dup = false): Buffer =>
  packet(
    TYPE.PUBLISH,
    dup ? 0x0a : 0x02,
    mqttString(topic),
    Buffer.from([messageId >> 8, messageId & 0xff]),
    Buffer.from(payload),
  );

/** A socket for raw MQTT bytes that collects the received packets. */
export interface RawClient {
  readonly socket: Socket;
  /** Packet types received so far. */
  types(): number[];
  bytes(): Buffer;
  closed(): boolean;
}

function typesIn(bytes: Buffer): number[] {
  const types: number[] = [];
  for (let at = 0; at < bytes.length; ) {
    types.push((bytes[at] ?? 0) >> 4);
    let length = 0;
    let shift = 0;
    at += 1;
    for (let more = true; more; at += 1, shift += 7) {
      const byte = bytes[at] ?? 0;
      length += (byte & 0x7f) << shift;
      more = byte >= 0x80;
    }
    at += length;
  }
  return types;
}

export function openRaw(port: number): RawClient {
  const socket = connectSocket(port, '127.0.0.1');
  const chunks: Buffer[] = [];
  let closed = false;
  socket.on('data', (chunk) => chunks.push(chunk));
  socket.on('error', () => {});
  socket.on('close', () => {
    closed = true;
  });
  onTestFinished(() => {
    socket.destroy();
  });
  const bytes = (): Buffer => Buffer.concat(chunks);
  return { socket, bytes, types: () => typesIn(bytes()), closed: () => closed };
}
