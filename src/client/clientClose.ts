import type { Socket } from 'node:net';
import type { MqttClient } from '../thingsboard/mqttClient.ts';
import { within } from '../time/within.ts';

/** Longer than a destroyed socket needs. */
const DESTROY_MS = 200;

/**
 * Closes a client for good: DISCONNECT if there is time for it, then the socket is destroyed whatever the server does
 * (`end(false)` alone waits for acknowledgements that may never come).
 * @param goodbyeMs milliseconds that the server gets; 0: none
 */
export async function closeClient(client: MqttClient, stream: Socket, goodbyeMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    if (stream.closed) resolve();
    else stream.once('close', () => resolve());
  });
  if (goodbyeMs > 0 && client.connected) {
    client.end(false);
    await within(goodbyeMs, closed);
  }
  client.end(true);
  stream.destroy();
  await within(DESTROY_MS, closed);
}
