/** Splits a byte stream into packets, so that a fault can strike between two packets or within one. */

import { parser } from 'mqtt-packet';

/** @returns the complete packets; the rest is kept for the next call */
export type PacketSplitter = (chunk: Buffer) => readonly Buffer[];

/** Size of the encoded remaining length, bytes (MQTT 3.1.1, section 2.2.3). */
const lengthBytes = (remaining: number): number => (remaining < 128 ? 1 : 1 + lengthBytes(Math.floor(remaining / 128)));

/** Whole MQTT packets, fixed header included. */
export function splitMqtt(): PacketSplitter {
  const parse = parser({ protocolVersion: 4 });
  const sizes: number[] = [];
  parse.on('packet', ({ length = 0 }) => sizes.push(1 + lengthBytes(length) + length));
  let pending = Buffer.alloc(0);
  return (chunk) => {
    parse.parse(chunk);
    pending = Buffer.concat([pending, chunk]);
    return sizes.splice(0).map((size) => {
      const packet = pending.subarray(0, size);
      pending = pending.subarray(size);
      return packet;
    });
  };
}

const TLS_HEADER = 5;

/** Whole TLS records (RFC 8446, section 5.1): type, version, length, fragment. */
export function splitTls(): PacketSplitter {
  let pending = Buffer.alloc(0);
  return (chunk) => {
    pending = Buffer.concat([pending, chunk]);
    const records: Buffer[] = [];
    while (pending.length >= TLS_HEADER && pending.length >= TLS_HEADER + pending.readUInt16BE(3)) {
      const size = TLS_HEADER + pending.readUInt16BE(3);
      records.push(pending.subarray(0, size));
      pending = pending.subarray(size);
    }
    return records;
  };
}
