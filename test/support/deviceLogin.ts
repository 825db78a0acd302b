/** Connects as a device, without the agent's code. */

import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';

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

/** `answered` when the server lets this client in and answers it, or the reason why it does not. */
export async function askAsDevice(options: IClientOptions): Promise<string> {
  const client = mqtt.connect({ reconnectPeriod: 0, keepalive: 0, ...options });
  try {
    return await ask(client);
  } finally {
    client.end(true);
  }
}

/**
 * `answered` when the server accepts the token and answers the device, or the reason why it does not.
 * @param ca PEM of the CA certificate for TLS; absent: no TLS
 */
export const loginAsDevice = (host: string, port: number, token: string, ca?: string): Promise<string> =>
  askAsDevice({ host, port, username: token, ...(ca === undefined ? {} : { protocol: 'mqtts', ca }) });
