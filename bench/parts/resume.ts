/** Time from the start after an interruption to the first packet. */

import { spawn } from 'node:child_process';
import { createServer, type Server, type Socket } from 'node:net';
import { median } from './interleaved.ts';
import type { Figure } from './result.ts';
import type { Bench } from './sections.ts';

const LIMIT_MS = 60_000;

/** A server that accepts connections and sends nothing. */
async function silentServer(): Promise<{ readonly port: number; nextPacket(): Promise<number>; close(): void }> {
  const sockets = new Set<Socket>();
  let notify = (): void => {};
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('data', () => notify());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no TCP address');
  return {
    port: address.port,
    nextPacket: () =>
      new Promise((resolve) => {
        notify = () => resolve(performance.now());
      }),
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** Starts a run, and interrupts it at its first packet. @returns ms from the start to the packet */
async function toFirstPacket({ workshop, node }: Bench, folder: string, packet: Promise<number>): Promise<number> {
  const startedAt = performance.now();
  const child = spawn(node, [workshop.agent, 'run', '--dir', folder], { stdio: 'ignore', timeout: LIMIT_MS });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const at = await Promise.race([packet, ended.then(() => undefined)]);
  child.kill('SIGTERM');
  await ended;
  if (at === undefined) throw new Error('The run ended without a packet');
  return at - startedAt;
}

export async function resume(bench: Bench): Promise<readonly Figure[]> {
  const server = await silentServer();
  const [first, resumed]: [number[], number[]] = [[], []];
  try {
    for (let round = 0; round < bench.runs; round += 1) {
      const folder = await bench.workshop.deviceFolder({ port: server.port });
      first.push(await toFirstPacket(bench, folder, server.nextPacket()));
      resumed.push(await toFirstPacket(bench, folder, server.nextPacket()));
    }
  } finally {
    server.close();
  }
  return [
    { what: 'start to first packet, new run', value: median(first), unit: 'ms' },
    { what: 'start to first packet, resumed run', value: median(resumed), unit: 'ms' },
  ];
}
