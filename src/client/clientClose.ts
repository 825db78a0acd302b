import type { Socket } from 'node:net';
import type { MqttClient } from '../thingsboard/mqttClient.ts';

/** Longer than a destroyed socket needs. */
const DESTROY_MS = 200;

/** Resolves when the socket is closed, or after the limit (milliseconds). */
function closedWithin(stream: Socket, limitMs: number): Promise<void> {
  if (stream.closed) return Promise.resolve();
  return new Promise((resolve) => {
    const finish = (): void => {
      clearTimeout(timer);
      stream.off('close', finish);
      resolve();
    };
    const timer = setTimeout(finish, limitMs);
    stream.once('close', finish);
  });
}

/**
 * Closes a client for good: DISCONNECT if there is time for it, then the socket is destroyed whatever the server does
 * (`end(false)` alone waits for acknowledgements that may never come).
 * @param goodbyeMs milliseconds that the server gets; 0: none
 */
export async function closeClient(client: MqttClient, stream: Socket, goodbyeMs: number): Promise<void> {
  if (goodbyeMs > 0 && client.connected) {
    client.end(false);
    await closedWithin(stream, goodbyeMs);
  }
  client.end(true);
  stream.destroy();
  await closedWithin(stream, DESTROY_MS);
}
