import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { selfSigned } from '../../src/device/selfSigned.ts';
import { areEqual, type DeviceCredentials } from '../../src/deviceCredentials.ts';
import { silentLog } from '../../src/log/log.ts';
import { Secret } from '../../src/secret.ts';
import { type Credentials, readCredentials, writeCredentials } from '../../src/state/credentials.ts';
import { put } from '../config/scratch.ts';
import { accessToken, tokenOf } from '../support/accessToken.ts';
import { START } from '../support/chartRun.ts';
import { makeFolder } from '../support/deviceFolder.ts';

const NAME = 'camera-1';
const KINDS: Readonly<Record<string, DeviceCredentials>> = {
  'an access token': accessToken('token-of-the-camera'),
  'client id, user name and password': {
    type: 'MQTT_BASIC',
    clientId: 'client',
    userName: new Secret('user'),
    password: new Secret('password'),
  },
  'a client id alone': { type: 'MQTT_BASIC', clientId: 'client', userName: null, password: null },
  'a certificate and its key': { type: 'X509_CERTIFICATE', ...(await selfSigned(NAME)) },
};

const holding = (credentials: DeviceCredentials): Credentials => ({
  target: { digest: '0123456789abcdef', host: 'server.example', port: 8883 },
  board: { serial: 'ab12', machine: null },
  candidates: [{ nameIndex: 1, name: NAME, credentials, runId: 'run-1', answered: false }],
  granted: { deviceName: NAME, credentials, successSeenBy: 'run-1' },
});
const newPath = async (): Promise<string> => join(await makeFolder(onTestFinished), 'credentials.json');
const read = (path: string): Promise<Credentials | undefined> => readCredentials(path, silentLog, START);

describe('credentials.json of version 2', () => {
  it.each(Object.entries(KINDS))('holds %s, and returns it', async (_what, credentials) => {
    const path = await newPath();
    await writeCredentials(path, holding(credentials));
    expect(JSON.parse(await readFile(path, 'utf8'))).toMatchObject({ version: 2 });
    const stored = await read(path);
    for (const one of [stored?.candidates[0]?.credentials, stored?.granted?.credentials]) {
      expect(one?.type).toBe(credentials.type);
      expect(one !== undefined && areEqual(one, credentials)).toBe(true);
      // areEqual ignores the key of a certificate, which no server has.
      if (credentials.type === 'X509_CERTIFICATE') {
        expect(one?.type === 'X509_CERTIFICATE' && one.key.reveal()).toBe(credentials.key.reveal());
      }
    }
  });

  it.each([
    ['of an unknown type', { type: 'LWM2M_CREDENTIALS', token: 't' }],
    ['with a certificate that is none', { type: 'X509_CERTIFICATE', certificate: 'none', key: 'k' }],
    ['with a certificate without its key', { ...KINDS['a certificate and its key'], key: '' }],
    ['with a user name that is not a text', { type: 'MQTT_BASIC', clientId: null, userName: 7, password: null }],
    ['without a type', { token: 't' }],
  ])('is damaged when it holds credentials %s', async (_what, credentials) => {
    const path = await newPath();
    await writeCredentials(path, holding(accessToken('t')));
    const document: { candidates: object[] } = JSON.parse(await readFile(path, 'utf8'));
    document.candidates = document.candidates.map((candidate) => ({ ...candidate, credentials }));
    await put(path, JSON.stringify(document), 0o600);
    expect(await read(path)).toBeUndefined();
  });
});

it('credentials.json of version 1, which has only tokens, is read', async () => {
  const text = {
    format: 'thermal-provision-credentials',
    version: 1,
    target: { digest: '0123456789abcdef', host: 'server.example', port: 1883 },
    board: { serial: 'ab12', machine: null },
    candidates: [{ nameIndex: 1, name: NAME, token: 'first', runId: 'run-1' }],
    granted: { deviceName: NAME, token: 'of the server', successSeenBy: null },
  };
  const stored = await read(await put(await newPath(), JSON.stringify(text), 0o600));
  expect(stored?.candidates.map(({ name, answered, credentials }) => [name, answered, tokenOf(credentials)])).toEqual([
    [NAME, false, 'first'],
  ]);
  expect(tokenOf(stored?.granted?.credentials)).toBe('of the server');
});
