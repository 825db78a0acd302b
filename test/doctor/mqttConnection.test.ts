import { expect, it } from 'vitest';
import { attemptLogin } from '../../src/doctor/loginAttempt.ts';
import { checkMqttConnection } from '../../src/doctor/mqttConnection.ts';
import { failureOf } from '../config/scratch.ts';
import { TYPE } from '../simulator/mqttClients.ts';
import { connackBytes, type RawScript, startRawServer } from '../support/rawMqttServer.ts';

const LIMIT_MS = 300;
/** MQTT 3.1.1, section 3.14. */
const DISCONNECT = 14;
const at = (port: number, host = '127.0.0.1') => ({ host, port, useSsl: false });

it('sends only CONNECT and DISCONNECT', async () => {
  const server = await startRawServer({ onConnect: (socket) => void socket.write(connackBytes()) });
  const { findings } = await checkMqttConnection(attemptLogin(at(server.port), LIMIT_MS));
  expect(findings[0]?.verdict).toBe('passed');
  await server.allClosed();
  expect(server.connections.flatMap(({ received }) => received.map(({ type }) => type))).toEqual([
    TYPE.CONNECT,
    DISCONNECT,
  ]);
  expect(server.connections[0]?.received[0]?.bytes.includes('provision')).toBe(true);
});

it.each<[string, RawScript, string]>([
  ['ANSWER_TIMEOUT', {}, 'did not accept the MQTT connection within 0.3 s'],
  ['CONNECTION_LOST', { onConnect: (socket) => socket.end() }, 'closed the connection'],
  ['CONNECTION_LOST', { onConnect: (socket) => void socket.resetAndDestroy() }, 'reset'],
  ['SERVER_UNAVAILABLE', { onConnect: (socket) => void socket.write(connackBytes(3)) }, 'CONNACK 3'],
  ['CONNECTION_NOT_ACCEPTED', { onConnect: (socket) => void socket.write(connackBytes(5)) }, 'CONNACK 5'],
  [
    'NOT_MQTT',
    { onConnect: (socket) => void socket.write('HTTP/1.1 400 Bad Request\r\n\r\n') },
    'in HTTP, not in MQTT',
  ],
  ['NOT_MQTT', { onConnect: (socket) => void socket.write(Buffer.alloc(70_000, 0x30)) }, 'not in MQTT'],
])('reports %s, and closes', async (code, script, says) => {
  const server = await startRawServer(script);
  const failure = await failureOf(() => checkMqttConnection(attemptLogin(at(server.port), LIMIT_MS)));
  expect(failure.code).toBe(code);
  expect(failure.message).toContain(says);
  await server.allClosed();
});
