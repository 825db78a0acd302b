/** A TCP proxy that splits the stream into packets and applies a network fault to one of them. */

import { connect, createServer, type Socket } from 'node:net';
import { type PacketSplitter, splitMqtt, splitTls } from './packetBoundaries.ts';

export const NETWORK_FAULTS = [
  /** The packet is dropped, and both sides are closed (FIN). */
  'cut',
  /** Half of the packet arrives, then both sides are closed. */
  'tear',
  /** Both sides are reset (RST). */
  'reset',
  /** The proxy forwards nothing more in this direction; the connection stays open. */
  'stall',
  'duplicate',
  /** The packet arrives byte by byte. */
  'singleBytes',
  'delay',
  /** All bits of the first byte are flipped, which changes the type of the packet or record. */
  'corruptType',
  /** The length is wrong by 64. */
  'corruptLength',
  /** One bit of a byte after the header is flipped. */
  'corruptBody',
  /** One bit of the last byte is flipped. */
  'corruptEnd',
] as const;
export type NetworkFault = (typeof NETWORK_FAULTS)[number];

export type Direction = 'toServer' | 'toClient';

/** A place in a conversation: the nth packet of a direction of the nth connection, both counted from 1. */
export interface PacketPlace {
  readonly connection: number;
  readonly direction: Direction;
  readonly packet: number;
}

export interface PlacedFault extends PacketPlace {
  readonly fault: NetworkFault;
  /** Strike after the packet instead of before it: for cut, reset and stall after a session's last packet. */
  readonly behind?: boolean;
  /** In every connection from this one on, until `heal`. */
  readonly lasting?: boolean;
}

export interface FaultProxyOptions {
  readonly targetPort: number;
  /** The protocol whose packets are counted. */
  readonly framing: 'mqtt' | 'tls';
  readonly fault?: PlacedFault;
  /** Duration of `delay`, ms; default 250. */
  readonly delayMs?: number;
}

export interface FaultProxy {
  readonly port: number;
  /** Every received packet, in order of arrival. */
  readonly seen: readonly PacketPlace[];
  /** How often the fault has struck. */
  fired(): number;
  connections(): number;
  /** Ends the fault, and forwards the stalled packets. */
  heal(): void;
  close(): Promise<void>;
}

const DEFAULT_DELAY_MS = 250;
const LENGTH_AT = { mqtt: 1, tls: 4 };
const BODY_AT = { mqtt: 2, tls: 5 };

/** A copy with some bits of one byte flipped. */
function flipped(packet: Buffer, at: number, bits: number): Buffer {
  const copy = Buffer.from(packet);
  const index = Math.min(at, copy.length - 1);
  copy[index] = (copy[index] ?? 0) ^ bits;
  return copy;
}

function corrupted(packet: Buffer, fault: NetworkFault, framing: FaultProxyOptions['framing']): Buffer {
  const body = BODY_AT[framing];
  if (fault === 'corruptType') return flipped(packet, 0, 0xff);
  if (fault === 'corruptLength') return flipped(packet, LENGTH_AT[framing], 0x40);
  if (fault === 'corruptBody') return flipped(packet, body + Math.floor((packet.length - body) / 2), 0x01);
  return flipped(packet, packet.length - 1, 0x01);
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Starts a proxy on a free port of 127.0.0.1. */
export async function startFaultProxy(options: FaultProxyOptions): Promise<FaultProxy> {
  const { targetPort, framing, fault, delayMs = DEFAULT_DELAY_MS } = options;
  const seen: PacketPlace[] = [];
  const sockets = new Set<Socket>();
  const timers = new Set<NodeJS.Timeout>();
  const stalled: (() => void)[] = [];
  let connections = 0;
  let fired = 0;
  let healed = false;

  const keep = (socket: Socket): Socket => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    return socket;
  };

  const strikes = ({ connection, direction, packet }: PacketPlace): boolean => {
    if (fault === undefined || healed || direction !== fault.direction || packet !== fault.packet) return false;
    return fault.lasting === true ? connection >= fault.connection : connection === fault.connection;
  };

  const pause = (): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(() => {
        timers.delete(timer);
        resolve();
      }, delayMs);
      timers.add(timer);
    });

  /** Forwards the packet, with the fault where it strikes. */
  async function pass(packet: Buffer, place: PacketPlace, from: Socket, to: Socket): Promise<void> {
    if (fault === undefined || !strikes(place)) {
      to.write(packet);
      return;
    }
    fired += 1;
    if (fault.behind === true) to.write(packet);
    switch (fault.fault) {
      case 'cut':
        from.end();
        to.end();
        return;
      case 'tear':
        to.end(packet.subarray(0, Math.ceil(packet.length / 2)));
        from.end();
        return;
      case 'reset':
        // With `after`: the packet must arrive before the reset.
        if (fault.behind === true) await turn();
        from.resetAndDestroy();
        to.resetAndDestroy();
        return;
      case 'stall':
        await new Promise<void>((resolve) => stalled.push(resolve));
        if (fault.behind !== true) to.write(packet);
        return;
      case 'duplicate':
        to.write(packet);
        to.write(packet);
        return;
      case 'singleBytes':
        for (const byte of packet) {
          to.write(Buffer.of(byte));
          await turn();
        }
        return;
      case 'delay':
        await pause();
        to.write(packet);
        return;
      default:
        to.write(corrupted(packet, fault.fault, framing));
    }
  }

  function relay(connection: number, direction: Direction, from: Socket, to: Socket): void {
    const split: PacketSplitter = framing === 'mqtt' ? splitMqtt() : splitTls();
    let packets = 0;
    let order = Promise.resolve();
    from.on('data', (chunk: Buffer) => {
      for (const packet of split(chunk)) {
        packets += 1;
        const place: PacketPlace = { connection, direction, packet: packets };
        seen.push(place);
        order = order.then(() => pass(packet, place, from, to));
      }
    });
    from.on('end', () => {
      order = order.then(() => void to.end());
    });
    from.on('close', () => {
      // A stalled direction never ends by itself.
      order.then(
        () => to.destroySoon(),
        () => to.destroy(),
      );
      if (direction === 'toServer') setImmediate(() => to.destroySoon());
    });
  }

  const server = createServer((client) => {
    connections += 1;
    const upstream = keep(connect({ port: targetPort, host: '127.0.0.1' }));
    relay(connections, 'toServer', keep(client), upstream);
    relay(connections, 'toClient', upstream, client);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no TCP address');

  const release = (): void => {
    healed = true;
    for (const resume of stalled.splice(0)) resume();
  };
  return {
    port: address.port,
    seen,
    fired: () => fired,
    connections: () => connections,
    heal: release,
    close: () =>
      new Promise((resolve) => {
        for (const timer of timers) clearTimeout(timer);
        release();
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
