import { execFileSync } from 'node:child_process';
import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { DevicePaths } from '../../src/device/paths.ts';
import { selfSigned } from '../../src/device/selfSigned.ts';
import { type Credentials, x509 } from '../../src/simulator/credentials.ts';
import { put } from '../config/scratch.ts';
import { runDevice } from '../support/agentRun.ts';
import { makeFolder } from '../support/deviceFolder.ts';
import { loginKeys, thingsboardSection } from '../support/fileLogin.ts';
import { loginScene } from '../support/loginScene.ts';
import { provisionedProblems } from '../support/provisionedDevice.ts';

const NAME = 'hall-7';

/** A server with one pre-provisioned device, and the camera that has its name. */
const storedScene = (credentials: Credentials) =>
  loginScene(
    'access_token',
    { strategy: 'CHECK_PRE_PROVISIONED_DEVICES', devices: [{ name: NAME, credentials }] },
    { device: { name: NAME } },
  );

const putKey = ({ deviceFolder }: DevicePaths, pem: string): Promise<string> =>
  put(join(deviceFolder, 'client_key.pem'), pem, 0o600);

test.each<[keys: string[], stored: { clientId?: string; userName?: string; password?: string }]>([
  [['client_id'], { clientId: 'client of hall-7' }],
  [['username'], { userName: 'user of hall-7' }],
  [['username', 'password'], { userName: 'user of hall-7', password: 'password of hall-7' }],
  [['client_id', 'username'], { clientId: 'client of hall-7', userName: 'user of hall-7' }],
  [['client_id', 'username', 'password'], { clientId: 'client', userName: 'user of hall-7', password: 'its password' }],
])('a pre-provisioned device with %j', async (keys, stored) => {
  const { simulator, paths } = await storedScene({ type: 'MQTT_BASIC', ...stored });
  expect(await runDevice(paths)).toMatchObject({ outcome: 'provisioned', deviceName: NAME });
  expect(await loginKeys(paths)).toEqual(keys);
  const { client_id: clientId, username: userName, password } = await thingsboardSection(paths);
  expect({ clientId, userName, password }).toEqual({
    clientId: undefined,
    userName: undefined,
    password: undefined,
    ...stored,
  });
  expect(await provisionedProblems(paths, simulator)).toEqual([]);
});

/** A self-signed certificate with an RSA key, as an operator makes it. */
async function rsaCertificate(): Promise<{ certificate: string; key: string }> {
  const folder = await makeFolder(onTestFinished);
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', `/CN=${NAME}`, '-days', '9'];
  execFileSync('openssl', [...request, '-keyout', key, '-out', cert], { stdio: 'ignore' });
  return { certificate: await readFile(cert, 'utf8'), key: await readFile(key, 'utf8') };
}

const ownCertificate = async () => {
  const { certificate, key } = await selfSigned(NAME);
  return { certificate, key: key.reveal() };
};

test.each([
  ['P-256', ownCertificate],
  ['RSA', rsaCertificate],
])('a pre-provisioned device with a certificate, whose %s key lies in the folder', async (_kind, make) => {
  const { certificate, key } = await make();
  const { simulator, paths } = await storedScene(x509(certificate));
  await putKey(paths, key);
  expect(await runDevice(paths)).toMatchObject({ outcome: 'provisioned', deviceName: NAME });
  expect(await loginKeys(paths)).toEqual(['client_cert_file', 'client_key_file']);
  expect(await provisionedProblems(paths, simulator)).toEqual([]);
  const written = await readFile(join(paths.deviceFolder, String((await thingsboardSection(paths)).client_cert_file)));
  expect(new X509Certificate(written).raw).toEqual(new X509Certificate(certificate).raw);
});

test.each<[what: string, key: (own: string) => string | undefined]>([
  ['no key', () => undefined],
  [
    'another key',
    () =>
      generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  ],
  [
    'a key with a password',
    () =>
      generateKeyPairSync('ec', {
        namedCurve: 'P-256',
        privateKeyEncoding: { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'secret' },
        publicKeyEncoding: { type: 'spki', format: 'pem' },
      }).privateKey,
  ],
  ['something else', () => 'not a key'],
])(
  'a pre-provisioned device with a certificate, and %s in the folder: CLIENT_KEY_UNUSABLE, and the configuration stays',
  async (_what, change) => {
    const { certificate, key } = await ownCertificate();
    const { simulator, paths } = await storedScene(x509(certificate));
    const before = await readFile(paths.thermalConfig, 'utf8');
    const put = change(key);
    if (put !== undefined) await putKey(paths, put);
    const run = await runDevice(paths);
    expect(run).toMatchObject({
      outcome: 'failed',
      exitStatus: 78,
      failure: { code: 'CLIENT_KEY_UNUSABLE', retryable: false },
    });
    expect(run.failure?.message).toContain(join(paths.deviceFolder, 'client_key.pem'));
    expect(await readFile(paths.thermalConfig, 'utf8')).toBe(before);
    // The server has marked the device as provisioned: an operator puts the key there, and deletes the mark.
    await putKey(paths, key);
    simulator.registry.deleteProvisionState(NAME);
    expect((await runDevice(paths)).outcome).toBe('provisioned');
    expect(await provisionedProblems(paths, simulator)).toEqual([]);
  },
);

test('a pre-provisioned device with LwM2M credentials: CREDENTIALS_TYPE_UNSUPPORTED', async () => {
  const { paths } = await storedScene({ type: 'LWM2M_CREDENTIALS', endpoint: NAME });
  const run = await runDevice(paths);
  expect(run).toMatchObject({ outcome: 'failed', exitStatus: 78, failure: { code: 'CREDENTIALS_TYPE_UNSUPPORTED' } });
});
