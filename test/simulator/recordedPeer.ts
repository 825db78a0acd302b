import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

const TYPES = [
  ...['', 'CONNECT', 'CONNACK', 'PUBLISH', 'PUBACK', 'PUBREC', 'PUBREL', 'PUBCOMP', 'SUBSCRIBE', 'SUBACK'],
  ...['UNSUBSCRIBE', 'UNSUBACK', 'PINGREQ', 'PINGRESP', 'DISCONNECT', 'AUTH'],
];

/** A packet in the form of the recordings. */
export type RecordedPacket = Readonly<Record<string, string | number | boolean>>;

/** One TCP connection that sends raw bytes and describes the packets it receives, without the simulator's codec. */
export class RecordedPeer {
  readonly #socket: Socket;
  #bytes: Buffer = Buffer.alloc(0);
  #fresh: RecordedPacket[] = [];
  #changed: () => void = () => {};
  #mqtt5 = false;
  closedAt: number | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (bytes) => this.#read(bytes));
    socket.on('error', () => {});
    socket.on('close', () => {
      this.closedAt = performance.now();
      this.#changed();
    });
  }

  static async open(port: number): Promise<RecordedPeer> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    return new RecordedPeer(socket);
  }

  send(bytes: Buffer): void {
    // Byte 8 of a CONNECT is the protocol level.
    if (bytes[0] === 0x10 && bytes[8] === 5) this.#mqtt5 = true;
    if (!this.#socket.destroyed) this.#socket.write(bytes);
  }

  /** Waits for `count` new packets, for the close if `closed`, and at most `limitMs` for both. */
  async wait(count: number, closed: boolean, limitMs: number): Promise<void> {
    const end = performance.now() + limitMs;
    while (this.#fresh.length < count || (closed && this.closedAt === undefined)) {
      const left = end - performance.now();
      if (left <= 0) return;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#changed = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  /** The packets since the last call. */
  take(): readonly RecordedPacket[] {
    const taken = this.#fresh;
    this.#fresh = [];
    return taken;
  }

  end(): void {
    this.#socket.destroy();
  }

  #read(bytes: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, bytes]);
    for (;;) {
      const frame = this.#nextFrame();
      if (frame === undefined) break;
      this.#fresh.push(describe(frame.first, frame.body, this.#mqtt5));
    }
    this.#changed();
  }

  #nextFrame(): { first: number; body: Buffer } | undefined {
    let length = 0;
    for (let at = 1; at < this.#bytes.length; at += 1) {
      const byte = this.#bytes.readUInt8(at);
      length += (byte & 0x7f) * 128 ** (at - 1);
      if (byte >= 0x80) continue;
      const end = at + 1 + length;
      if (this.#bytes.length < end) return undefined;
      const frame = { first: this.#bytes.readUInt8(0), body: this.#bytes.subarray(at + 1, end) };
      this.#bytes = this.#bytes.subarray(end);
      return frame;
    }
    return undefined;
  }
}

function describe(first: number, body: Buffer, mqtt5: boolean): RecordedPacket {
  const type = TYPES[first >> 4] ?? '';
  const flags = first & 15;
  if (type === 'PUBLISH') return describePublish(flags, body, mqtt5);
  const head = { type, ...(flags === 0 ? {} : { flags }) };
  if (type === 'CONNACK') {
    return { ...head, sessionPresent: body.readUInt8(0), code: body.readUInt8(1), ...hex('rest', body.subarray(2)) };
  }
  if (['PUBACK', 'PUBREC', 'PUBREL', 'PUBCOMP', 'SUBACK', 'UNSUBACK'].includes(type)) {
    return { ...head, id: body.readUInt16BE(0), ...hex('codes', body.subarray(2)) };
  }
  return { ...head, ...hex('rest', body) };
}

function describePublish(flags: number, body: Buffer, mqtt5: boolean): RecordedPacket {
  const topicEnd = 2 + body.readUInt16BE(0);
  const topic = body.subarray(2, topicEnd).toString();
  const qos = (flags >> 1) & 3;
  const id = qos > 0 ? { id: body.readUInt16BE(topicEnd) } : {};
  // No message of the server has properties: their length is one byte 0.
  const payload = body.subarray(topicEnd + (qos > 0 ? 2 : 0) + (mqtt5 ? 1 : 0));
  const text = payload.toString();
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the recordings show a payload with control characters as hex
  const readable = Buffer.from(text).equals(payload) && !/[\0-\x1f]/.test(text);
  return { type: 'PUBLISH', topic, qos, ...id, ...(readable ? { payload: text } : { hex: payload.toString('hex') }) };
}

const hex = (name: string, bytes: Buffer): RecordedPacket =>
  bytes.length === 0 ? {} : { [name]: bytes.toString('hex') };
