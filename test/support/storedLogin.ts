/** Device credentials in the agent's files, in the form in which the server stores them. Without the agent's code. */

import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { type Credentials, x509 } from '../../src/simulator/credentials.ts';

type Json = Readonly<Record<string, unknown>>;

const isRecord = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const textIn = (json: Json, key: string): string | undefined => {
  const value = json[key];
  return typeof value === 'string' && value !== '' ? value : undefined;
};

/** A file of the device folder; undefined: no such file. */
export type FileIn = (name: string) => { readonly bytes: Buffer; readonly mode: number } | undefined;

/** The files of a real folder. */
export const filesOf =
  (folder: string): FileIn =>
  (name) => {
    const path = join(folder, name);
    try {
      return { bytes: readFileSync(path), mode: statSync(path).mode & 0o7777 };
    } catch {
      return undefined;
    }
  };

function fits(certificate: string, key: string): boolean {
  try {
    return new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key));
  } catch {
    return false;
  }
}

/** The section `thingsboard`; undefined: the text is not such a configuration. */
function sectionOf(config: Uint8Array): Json | undefined {
  try {
    const json: unknown = JSON.parse(Buffer.from(config).toString('utf8'));
    return isRecord(json) && isRecord(json.thingsboard) ? json.thingsboard : undefined;
  } catch {
    return undefined;
  }
}

/** Checks that the certificate and the key that a configuration names exist, fit, and that nobody else may read the key. */
export function clientFileProblems(config: Uint8Array, fileIn: FileIn): string[] {
  const section = sectionOf(config);
  const [certFile, keyFile] = ['client_cert_file', 'client_key_file'].map((key) => section && textIn(section, key));
  if (certFile === undefined && keyFile === undefined) return [];
  const [certificate, key] = [fileIn(certFile ?? ''), fileIn(keyFile ?? '')];
  if (certificate === undefined || key === undefined) {
    return [`${certFile} and ${keyFile} are named, but not both are there`];
  }
  if (!fits(certificate.bytes.toString(), key.bytes.toString())) return [`${keyFile} is not the key of ${certFile}`];
  return key.mode === 0o600 ? [] : [`${keyFile} has the mode ${key.mode.toString(8)}`];
}

export interface StoredLogin {
  readonly deviceId: string;
  readonly credentials: Credentials;
}

const mqttBasic = (clientId: unknown, userName: unknown, password: unknown): Credentials => ({
  type: 'MQTT_BASIC',
  ...(typeof clientId === 'string' ? { clientId } : {}),
  ...(typeof userName === 'string' ? { userName } : {}),
  ...(typeof password === 'string' ? { password } : {}),
});

/** @returns undefined when the configuration names no device, no login, or files that are absent or do not fit */
export function loginInConfig(config: Uint8Array, fileIn: FileIn): StoredLogin | undefined {
  const section = sectionOf(config);
  const deviceId = section && textIn(section, 'device_id');
  if (section === undefined || deviceId === undefined || clientFileProblems(config, fileIn).length > 0)
    return undefined;
  const token = textIn(section, 'access_token');
  if (token !== undefined) return { deviceId, credentials: { type: 'ACCESS_TOKEN', token } };
  const certificate = fileIn(textIn(section, 'client_cert_file') ?? '');
  if (certificate !== undefined) return { deviceId, credentials: x509(certificate.bytes.toString()) };
  const { client_id, username, password } = section;
  if (client_id === undefined && username === undefined) return undefined;
  return { deviceId, credentials: mqttBasic(client_id, username, password) };
}

/** The entry of a candidate or of issued credentials in credentials.json. */
function credentialsOfEntry(entry: Json): Credentials | undefined {
  const { credentials } = entry;
  if (!isRecord(credentials)) return undefined;
  const { type, token, clientId, userName, password, certificate, key } = credentials;
  if (type === 'ACCESS_TOKEN' && typeof token === 'string') return { type, token };
  if (type === 'MQTT_BASIC') return mqttBasic(clientId, userName, password);
  if (typeof certificate !== 'string' || typeof key !== 'string' || !fits(certificate, key)) return undefined;
  return x509(certificate);
}

/**
 * Whether credentials.json has this login as generated, and as issued by the server. A certificate counts only with its
 * key.
 */
export function loginInCredentials(json: unknown, login: StoredLogin): { generated: boolean; issued: boolean } {
  const { candidates, granted } = isRecord(json) ? json : {};
  const is = (entry: unknown, nameKey: string): boolean =>
    isRecord(entry) &&
    entry[nameKey] === login.deviceId &&
    isDeepStrictEqual(credentialsOfEntry(entry), login.credentials);
  return {
    generated: Array.isArray(candidates) && candidates.some((entry: unknown) => is(entry, 'name')),
    issued: is(granted, 'deviceName'),
  };
}

/** The whole lines of a private key in PEM. The last line, a shorter one, holds only a part of the public key. */
export const secretLines = (pem: string): string[] => pem.split('\n').filter((line) => /^[\w+/]{64}$/.test(line));

const SECRET = /"(?:token|userName|password|key)": "([^"]+)"/g;

/** All secrets in the text of a credentials.json, also of one that is cut off. */
export const secretsInCredentials = (text: string): string[] =>
  [...text.matchAll(SECRET)].flatMap(([, value = '']) =>
    value.includes('\\n') ? secretLines(value.replaceAll('\\n', '\n')) : [value],
  );

/** The secrets that a server knows of its devices. */
export const secretsOnServer = (devices: readonly { readonly credentials: Credentials }[]): string[] =>
  devices.flatMap(({ credentials }) => {
    if (credentials.type === 'ACCESS_TOKEN') return [credentials.token];
    if (credentials.type !== 'MQTT_BASIC') return [];
    return [credentials.userName, credentials.password].flatMap((secret) => secret ?? []);
  });
