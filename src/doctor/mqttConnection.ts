import type { ServerEndpoint } from '../endpoint.ts';
import { connackFailure } from '../failures/connackFailure.ts';
import { Failure } from '../failures/failure.ts';
import { networkFailure } from '../failures/networkFailure.ts';
import { provisioningServer } from '../failures/serverFacts.ts';
import { guardIdentifiers, MqttClient } from '../thingsboard/mqttClient.ts';
import { openStream } from '../thingsboard/openStream.ts';
import { PROVISION_USER } from '../thingsboard/topics.ts';
import { type Checked, passed } from './check.ts';

const CLIENT_ID = 'thermal-provision-doctor';
/** MQTT 3.1.1, section 3.14. */
const DISCONNECT = Buffer.from([0xe0, 0x00]);
const MAX_RECEIVED_BYTES = 16 * 1024;

/**
 * Whether the server admits the user of provisioning requests (contract, section 1). CONNECT and DISCONNECT are all
 * that is sent: no request, so nothing can be created.
 * @param limitMs ms
 */
export function checkMqttConnection(server: ServerEndpoint, limitMs: number): Promise<Checked<true>> {
  return new Promise((resolve, reject) => {
    const facts = provisioningServer(server);
    const stream = openStream(server);
    const client = new MqttClient(() => stream, {
      protocolVersion: 4,
      clientId: CLIENT_ID,
      username: PROVISION_USER,
      clean: true,
      manualConnect: true,
      reconnectPeriod: 0,
      keepalive: 0,
      connectTimeout: limitMs + 1000,
    });
    let settled = false;
    let received = 0;
    const close = (): void => {
      client.end(true);
      stream.destroy();
    };
    const fail = (failure: Failure): void => {
      if (settled) return;
      settled = true;
      clearTimeout(timer);
      close();
      reject(failure);
    };
    const notMqtt = (error: Error): void => fail(new Failure('NOT_MQTT', 'notMqtt', facts, error));
    const timer = setTimeout(() => {
      fail(new Failure('ANSWER_TIMEOUT', 'notAccepted', { ...facts, seconds: limitMs / 1000 }));
    }, limitMs);
    stream.on('data', (chunk: Buffer) => {
      received += chunk.length;
      if (received > MAX_RECEIVED_BYTES) notMqtt(new Error('too many bytes'));
    });
    stream.on('error', (error) => fail(networkFailure(error, facts)));
    client.on('packetreceive', (packet) => {
      if (packet.cmd === 'connack' && packet.returnCode) fail(connackFailure(packet.returnCode, facts, 'provision'));
    });
    client.on('error', notMqtt);
    guardIdentifiers(client, notMqtt);
    client.on('close', () => fail(new Failure('CONNECTION_LOST', 'closed', facts)));
    client.on('connect', () => {
      if (settled) return;
      settled = true;
      clearTimeout(timer);
      const message = `the user “${PROVISION_USER}” is admitted; no request was sent, so key and secret are not tried`;
      // Politely, so that the server's log shows no broken connection.
      stream.end(DISCONNECT, close);
      resolve({ fact: true, findings: [passed(message)] });
    });
    client.connect();
  });
}
