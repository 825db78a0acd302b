// The minimal script that `npm run bench` compares a run with. It keeps none of the agent's promises: it requests a
// device with MQTT.js, connects again with the token, requests an attribute and writes one file. It has no fsync, no
// state, no log and no checks. Usage: node bareProvision.mjs FOLDER
import { randomBytes } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connectAsync } from 'mqtt';

const [folder = '.'] = process.argv.slice(2);
const { provisioning } = JSON.parse(await readFile(join(folder, 'provision.json'), 'utf8'));
const url = `mqtt://${provisioning.host}:${provisioning.port}`;

/** One connection, one question, one answer. */
async function ask(username, topics, payload) {
  const client = await connectAsync(url, { username, protocolVersion: 4, reconnectPeriod: 0 });
  await client.subscribeAsync(topics.answer, { qos: 1 });
  const answer = new Promise((resolve) => client.once('message', (_topic, message) => resolve(JSON.parse(message))));
  await client.publishAsync(topics.question, JSON.stringify(payload), { qos: 1 });
  const answered = await answer;
  await client.endAsync();
  return answered;
}

const deviceName = `thermal-camera-${randomBytes(6).toString('hex')}`;
const token = randomBytes(10).toString('hex');
const grant = await ask(
  'provision',
  { question: '/provision/request', answer: '/provision/response' },
  {
    deviceName,
    provisionDeviceKey: provisioning.device_key,
    provisionDeviceSecret: provisioning.device_secret,
    credentialsType: 'ACCESS_TOKEN',
    token,
  },
);
if (grant.status !== 'SUCCESS') throw new Error(`the server says ${grant.status}`);
await ask(
  token,
  { question: 'v1/devices/me/attributes/request/1', answer: 'v1/devices/me/attributes/response/+' },
  { clientKeys: 'provisioning' },
);

const path = join(folder, 'thermal_config.json');
const config = JSON.parse(await readFile(path, 'utf8'));
Object.assign(config.thingsboard, {
  host: provisioning.host,
  port: provisioning.port,
  access_token: token,
  device_id: deviceName,
});
await writeFile(path, `${JSON.stringify(config, null, 2)}\n`);
await rename(join(folder, 'provision.txt'), join(folder, 'provision.txt.processed'));
