/** TLS in front of a simulator, whose own port speaks plain MQTT. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer } from 'node:tls';
import { issueAuthority, issueCertificate } from '../../../src/simulator/certificate.ts';
import type { MqttEndpoint } from './arguments.ts';

export interface TlsFront {
  readonly endpoint: MqttEndpoint;
  /** PEM file of its authority. */
  readonly ca: string;
  close(): Promise<void>;
}

export async function startTlsFront(target: MqttEndpoint): Promise<TlsFront> {
  const authority = await issueAuthority();
  const folder = await mkdtemp(join(tmpdir(), 'thermal-acceptance-ca-'));
  const ca = join(folder, 'ca.pem');
  await writeFile(ca, authority.cert);
  const sockets = new Set<Socket>();
  const server = createServer(await issueCertificate({ ips: ['127.0.0.1'], ca: authority }), (client) => {
    const upstream = connect({ ...target });
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => sockets.delete(socket));
    }
    client.pipe(upstream).pipe(client);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no TCP address');
  return {
    endpoint: { host: '127.0.0.1', port: address.port },
    ca,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
      await rm(folder, { recursive: true, force: true });
    },
  };
}
