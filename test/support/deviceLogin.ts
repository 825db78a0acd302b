/** Connects as a device, without the agent's code. */

import mqtt, { type MqttClient } from 'mqtt';

const LIMIT_MS = 5000;
const REQUEST = 'v1/devices/me/attributes/request/1';
const RESPONSE = 'v1/devices/me/attributes/response/1';

/** `answered` when the server answers a request for attributes, or the reason why it does not. */
function ask(client: MqttClient): Promise<string> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve('no answer in time'), LIMIT_MS);
    const end = (word: string) => {
      clearTimeout(timer);
      resolve(word);
    };
    client.on('error', (error) => end(`refused: ${error.message}`));
    client.on('close', () => end('closed'));
    client.on('connect', () => client.publish(REQUEST, '{"clientKeys":"any"}', { qos: 1 }));
    client.on('message', (topic) => end(topic === RESPONSE ? 'answered' : `a message on ${topic}`));
  });
}

/**
 * `answered` when the server accepts the token and answers the device, or the reason why it does not.
 * @param ca PEM of the CA certificate for TLS; absent: no TLS
 */
export async function loginAsDevice(host: string, port: number, token: string, ca?: string): Promise<string> {
  const tls = ca === undefined ? {} : { protocol: 'mqtts' as const, ca };
  const client = mqtt.connect({ host, port, username: token, reconnectPeriod: 0, keepalive: 0, ...tls });
  try {
    return await ask(client);
  } finally {
    client.end(true);
  }
}
