import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import type { DevicePaths } from '../../src/device/paths.ts';
import type { RunInspector } from '../../src/watch/observer.ts';
import { type AgentRun, runDevice, scene } from '../support/agentRun.ts';

/** A server that forwards each client's messages to all other clients, as the Stately inspector's server does. */
export async function relay(): Promise<{ readonly port: number; readonly server: WebSocketServer }> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  const sent: string[] = [];
  server.on('connection', (client: WebSocket) => {
    for (const text of sent) client.send(text);
    client.on('message', (data) => {
      const text = String(data);
      sent.push(text);
      for (const other of server.clients) if (other !== client) other.send(text);
    });
  });
  await new Promise((resolve) => server.once('listening', resolve));
  onTestFinished(() => {
    for (const client of server.clients) client.terminate();
    server.close();
  });
  return { port: portOf(server.address()), server };
}

export const portOf = (address: AddressInfo | string | null): number =>
  typeof address === 'object' && address !== null ? address.port : 0;

interface Watched {
  readonly run: AgentRun;
  readonly paths: DevicePaths;
  /** ms from the start of the run to its result. */
  readonly runMs: number;
  /** ms that the inspector took to close. */
  readonly closeMs: number;
}

/** A whole run against a simulated server, watched by this inspector. Closes the inspector. */
export async function watchedRun(inspector: RunInspector, meanwhile: () => void = () => {}): Promise<Watched> {
  const { paths } = await scene();
  const startedAt = performance.now();
  const run = await runDevice(paths, {
    inspect: inspector.observe,
    onState: (state) => {
      if (state === 'request') meanwhile();
    },
  });
  const endedAt = performance.now();
  await inspector.close();
  return { run, paths, runMs: endedAt - startedAt, closeMs: performance.now() - endedAt };
}
