import type { Duplex } from 'node:stream';
import type { MqttClient } from '../thingsboard/mqttClient.ts';
import { within } from '../time/within.ts';

/** Limit for the close of a destroyed socket, which takes less. */
const DESTROY_MS = 200;

/**
 * Closes a client: sends DISCONNECT if there is time for it, then destroys the socket. `end(false)` alone would wait
 * for acknowledgements that may never arrive.
 * @param disconnectMs milliseconds for a clean DISCONNECT; 0: none is sent
 */
export async function closeClient(client: MqttClient, stream: Duplex, disconnectMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    if (stream.closed) resolve();
    else stream.once('close', () => resolve());
  });
  if (disconnectMs > 0 && client.connected) {
    client.end(false);
    await within(disconnectMs, closed);
  }
  client.end(true);
  stream.destroy();
  await within(DESTROY_MS, closed);
}
