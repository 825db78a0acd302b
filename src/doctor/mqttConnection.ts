import type { ServerEndpoint } from '../endpoint.ts';
import { connackFailure } from '../failures/connackFailure.ts';
import { Failure } from '../failures/failure.ts';
import { networkFailure } from '../failures/networkFailure.ts';
import { provisioningServer } from '../failures/serverFacts.ts';
import { guardIdentifiers, MqttClient } from '../thingsboard/mqttClient.ts';
import { openStream } from '../thingsboard/openStream.ts';
import { PROVISION_USER } from '../thingsboard/topics.ts';
import { LATE, within } from '../time/within.ts';
import { type Checked, passed } from './check.ts';

const CLIENT_ID = 'thermal-provision-doctor';
/** MQTT 3.1.1, section 3.14. */
const DISCONNECT = Buffer.from([0xe0, 0x00]);
const MAX_RECEIVED_BYTES = 16 * 1024;

/**
 * Checks that the server accepts the user of provisioning requests (docs/thingsboard.md, section 1). It sends only
 * CONNECT and DISCONNECT. Without a request no device can be created.
 * @param limitMs ms
 */
export async function checkMqttConnection(server: ServerEndpoint, limitMs: number): Promise<Checked<true>> {
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
  const close = (): void => {
    client.end(true);
    stream.destroy();
  };
  const accepted = new Promise<void>((resolve, reject) => {
    let received = 0;
    const notMqtt = (error: Error): void => reject(new Failure('NOT_MQTT', 'notMqtt', facts, error));
    stream.on('data', (chunk: Buffer) => {
      received += chunk.length;
      if (received > MAX_RECEIVED_BYTES) notMqtt(new Error('too many bytes'));
    });
    stream.on('error', (error) => reject(networkFailure(error, facts)));
    client.on('packetreceive', (packet) => {
      if (packet.cmd === 'connack' && packet.returnCode) reject(connackFailure(packet.returnCode, facts, 'provision'));
    });
    client.on('error', notMqtt);
    guardIdentifiers(client, notMqtt);
    client.on('close', () => reject(new Failure('CONNECTION_LOST', 'closed', facts)));
    client.on('connect', () => resolve());
    client.connect();
  });
  try {
    if ((await within(limitMs, accepted)) === LATE) {
      throw new Failure('ANSWER_TIMEOUT', 'notAccepted', { ...facts, seconds: limitMs / 1000 });
    }
  } catch (error) {
    close();
    throw error;
  }
  // A clean DISCONNECT, so that the server's log shows no broken connection.
  stream.end(DISCONNECT, close);
  const message = `the user "${PROVISION_USER}" is accepted; key and secret are not checked (no request is sent)`;
  return { fact: true, findings: [passed(message)] };
}
