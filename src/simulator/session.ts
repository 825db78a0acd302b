import type { Socket } from 'node:net';
import { generate, type IConnectPacket, type Packet } from 'mqtt-packet';
import { MAX_EARLY_PACKETS } from './limits.ts';
import type { Message } from './message.ts';
import { PacketReader } from './packetReader.ts';
import { type ProtocolVersion, refusedFilter } from './returnCodes.ts';
import { Timers } from './timers.ts';

/** Time for a closing connection to send its pending bytes before the socket is destroyed. */
const LINGER_MS = 1000;

type Granted = 0 | 1;

/** One connection of a client: its packets in both directions. What they mean stands in transport.ts. */
export class Session {
  /** Number of the connection, counted from 1. */
  readonly id: number;
  readonly socket: Socket;
  readonly timers = new Timers();
  /** Accepted topic filters and their QoS. */
  readonly subscriptions = new Map<string, Granted>();
  version: ProtocolVersion = 4;
  /** Name of the session's device; undefined in a provisioning session. */
  device: string | undefined;
  readonly #reader = new PacketReader();
  readonly #onConnect: (packet: IConnectPacket) => Promise<void>;
  readonly #onPacket: (packet: Packet) => void;
  #phase: 'new' | 'connecting' | 'open' = 'new';
  #clean = true;
  #early: Packet[] = [];
  #closeReason: string | undefined;
  #lastIdentifier = 0;

  /**
   * @param onConnect answers a CONNECT; packets that come before it has done so wait
   * @param onPacket takes each other packet, in order, in a session that was accepted
   */
  constructor(
    id: number,
    socket: Socket,
    onConnect: (session: Session, packet: IConnectPacket) => Promise<void>,
    onPacket: (session: Session, packet: Packet) => void,
  ) {
    this.id = id;
    this.socket = socket;
    this.#onConnect = (packet) => onConnect(this, packet);
    this.#onPacket = (packet) => onPacket(this, packet);
    socket.on('data', (bytes) => this.#read(bytes));
    // The close event, which follows, ends the session.
    socket.on('error', () => {});
  }

  /** Why the server closes or closed the session; undefined if it does not. */
  get closeReason(): string | undefined {
    return this.#closeReason;
  }

  get usable(): boolean {
    return this.#closeReason === undefined && !this.socket.destroyed;
  }

  /** Closes the connection after all written bytes are sent. */
  close(why: string): void {
    if (!this.usable) return;
    this.#closeReason = why;
    this.socket.end();
    this.timers.after(LINGER_MS, () => this.socket.destroy());
  }

  /** Sends CONNACK; after a code other than 0, MQTT 5 has a DISCONNECT, and the connection is closed. */
  connack(code: number): void {
    // "Session present" is the opposite of the client's clean flag, also in a refusal.
    this.#send({ cmd: 'connack', sessionPresent: !this.#clean, returnCode: code, reasonCode: code });
    if (code !== 0) this.disconnect(code, 'refused');
  }

  /** Closes the connection; in MQTT 5 the client is told the reason. */
  disconnect(reasonCode: number, why: string): void {
    if (this.version === 5) this.#send({ cmd: 'disconnect', reasonCode });
    this.close(why);
  }

  /** @param reasonCode of MQTT 5, if it is not success */
  puback(messageId: number | undefined, reasonCode?: number): void {
    if (messageId === undefined) return;
    if (reasonCode !== undefined) this.#send({ cmd: 'puback', messageId, reasonCode });
    // Success has no reason code in MQTT 5 either, so the packet is the one of MQTT 3.1.1.
    else this.#send({ cmd: 'puback', messageId }, 4);
  }

  /** @param granted the QoS of each filter; undefined for a refused one */
  suback(messageId: number | undefined, granted: readonly (Granted | undefined)[]): void {
    const codes = granted.map((qos) => qos ?? refusedFilter(this.version));
    // The codec refuses to write what an empty SUBSCRIBE gets.
    if (codes.length === 0) this.socket.write(Buffer.from([0x90, 2, ...identifierBytes(messageId ?? 0)]));
    else this.#send({ cmd: 'suback', messageId: messageId ?? 0, granted: codes });
  }

  unsuback(messageId: number | undefined, filters: number): void {
    this.#send({ cmd: 'unsuback', messageId: messageId ?? 0, granted: Array.from({ length: filters }, () => 0) });
  }

  pong(): void {
    this.#send({ cmd: 'pingresp' });
  }

  /** Sends a message with the QoS of its subscription, or with QoS 1. */
  publish({ topic, payload }: Message): void {
    const qos = this.#qosOf(topic);
    if (qos === 1) this.#lastIdentifier = (this.#lastIdentifier % 65_535) + 1;
    const identifier = qos === 1 ? { messageId: this.#lastIdentifier } : {};
    this.#send({ cmd: 'publish', topic, payload: Buffer.from(payload), qos, dup: false, retain: false, ...identifier });
  }

  #qosOf(topic: string): Granted {
    const parent = `${topic.slice(0, topic.lastIndexOf('/'))}/+`;
    return this.subscriptions.get(topic) ?? this.subscriptions.get(parent) ?? 1;
  }

  #send(packet: Packet, protocolVersion = this.version): void {
    if (this.usable) this.socket.write(generate(packet, { protocolVersion }));
  }

  #read(bytes: Buffer): void {
    if (!this.usable) return;
    for (const packet of this.#reader.read(bytes)) this.#receive(packet);
    const { malformed } = this.#reader;
    if (malformed !== undefined) this.close(`not MQTT as the server reads it: ${malformed}`);
  }

  #receive(packet: Packet): void {
    if (!this.usable) return;
    if (this.#phase === 'connecting') {
      this.#early.push(packet);
      if (this.#early.length > MAX_EARLY_PACKETS) this.close(`more than ${MAX_EARLY_PACKETS} packets before CONNACK`);
    } else if (packet.cmd === 'connect') {
      void this.#connect(packet);
    } else if (this.#phase === 'open') {
      this.#onPacket(packet);
    }
    // The server ignores packets before CONNECT.
  }

  async #connect(packet: IConnectPacket): Promise<void> {
    this.#phase = 'connecting';
    this.version = packet.protocolVersion ?? 4;
    this.#clean = packet.clean !== false;
    await this.#onConnect(packet);
    if (!this.usable) return;
    this.#phase = 'open';
    const early = this.#early;
    this.#early = [];
    for (const waiting of early) this.#receive(waiting);
  }
}

const identifierBytes = (identifier: number): readonly number[] => [identifier >> 8, identifier & 0xff];
