import { type Packet, type Parser, parser } from 'mqtt-packet';
import { MAX_PACKET_BYTES } from './limits.ts';

/** Client identifiers of MQTT 3.1 (its specification, section 3.1). */
const MAX_CLIENT_ID_V3 = 23;

const SUBSCRIBE = 0x82;

/** Whether a first byte has a packet type and the flags that belong to it (MQTT 3.1.1, section 2.2). */
function isFirstByte(byte: number): boolean {
  const type = byte >> 4;
  const flags = byte & 0x0f;
  if (type === 3) return (flags & 6) !== 6;
  if (type === 6 || type === 8 || type === 10) return flags === 2;
  return type >= 1 && type <= 14 && flags === 0;
}

/**
 * Reads MQTT packets as the server does: it closes the connection at the first byte that can't belong to a good packet.
 * It is stricter than the codec in a few points, which the recordings show, and accepts an empty SUBSCRIBE.
 */
export class PacketReader {
  readonly #parser: Parser = parser();
  #unread: Buffer = Buffer.alloc(0);
  #packets: Packet[] = [];
  #malformed: string | undefined;

  constructor() {
    this.#parser.on('packet', (packet) => {
      this.#malformed ??= strictness(packet);
      if (this.#malformed === undefined) this.#packets.push(packet);
    });
    this.#parser.on('error', ({ message }) => {
      this.#malformed ??= message;
    });
  }

  /** Why the rest of the connection can't be read. */
  get malformed(): string | undefined {
    return this.#malformed;
  }

  /** @returns the packets that are complete now, up to a malformed one */
  read(bytes: Buffer): readonly Packet[] {
    this.#packets = [];
    this.#unread = this.#unread.length === 0 ? bytes : Buffer.concat([this.#unread, bytes]);
    for (let frame = this.#nextFrame(); frame !== undefined; frame = this.#nextFrame()) this.#decode(frame);
    return this.#packets;
  }

  #decode(frame: Buffer): void {
    if (frame[0] === SUBSCRIBE && frame.length === 4) {
      this.#packets.push({ cmd: 'subscribe', messageId: frame.readUInt16BE(2), subscriptions: [] });
    } else {
      this.#parser.parse(frame);
    }
  }

  #nextFrame(): Buffer | undefined {
    if (this.#malformed !== undefined) return undefined;
    const first = this.#unread[0];
    if (first !== undefined && !isFirstByte(first)) this.#malformed = 'an unknown packet';
    let length = 0;
    for (let at = 1; at < this.#unread.length; at += 1) {
      const byte = this.#unread.readUInt8(at);
      length += (byte & 0x7f) * 128 ** (at - 1);
      if (length > MAX_PACKET_BYTES || (at === 4 && byte >= 0x80)) {
        this.#malformed = `a packet larger than ${MAX_PACKET_BYTES} bytes`;
        return undefined;
      }
      if (byte >= 0x80) continue;
      const end = at + 1 + length;
      if (this.#unread.length < end) return undefined;
      const frame = this.#unread.subarray(0, end);
      this.#unread = this.#unread.subarray(end);
      return frame;
    }
    return undefined;
  }
}

/** Why the server refuses a packet that the codec accepts. */
function strictness(packet: Packet): string | undefined {
  switch (packet.cmd) {
    case 'connect': {
      const { clientId, protocolId, protocolVersion } = packet;
      if ((protocolVersion === 3) !== (protocolId === 'MQIsdp')) return 'protocol name and level do not fit';
      if (protocolVersion === 3 && (clientId === '' || clientId.length > MAX_CLIENT_ID_V3)) return 'client id';
      return undefined;
    }
    case 'publish':
      if (/[+#]/.test(packet.topic)) return 'a topic with a wildcard';
      return packet.qos > 0 ? missingIdentifier(packet) : undefined;
    case 'subscribe':
    case 'unsubscribe':
      return missingIdentifier(packet);
    default:
      return undefined;
  }
}

const missingIdentifier = ({ messageId }: Packet): string | undefined =>
  messageId === 0 ? 'packet identifier 0' : undefined;
