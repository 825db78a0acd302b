/** Whether the suite can work with a server at all. Otherwise each scenario would fail after a long time. */

import { connect } from 'node:net';
import { Administration } from './administration.ts';
import type { MqttEndpoint, ServerAccess } from './arguments.ts';
import { RestClient } from './restClient.ts';

const CONNECT_LIMIT_MS = 10_000;

function reach({ host, port }: MqttEndpoint): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, timeout: CONNECT_LIMIT_MS });
    const fail = (why: string): void => {
      socket.destroy();
      reject(new Error(`No connection to ${host}, port ${port}: ${why}`));
    };
    socket.on('timeout', () => fail('no answer'));
    socket.on('error', (error) => fail('code' in error ? String(error.code) : error.message));
    socket.on('connect', () => {
      socket.destroy();
      resolve();
    });
  });
}

/** @throws when the user may not list device profiles, or a port is not reached */
export async function checkAccess(
  { rest, user, password, mqtt, mqtts }: ServerAccess,
  signal: AbortSignal,
): Promise<void> {
  await new Administration(new RestClient({ url: rest, user, password }, signal)).checkAccess();
  for (const endpoint of mqtts === undefined ? [mqtt] : [mqtt, mqtts]) await reach(endpoint);
}
