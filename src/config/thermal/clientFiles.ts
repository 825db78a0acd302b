/** The files of a client certificate beside thermal_config.json. Loaded only where there is one. */

import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { isKeyOf } from '../../device/clientKey.ts';
import { isCertificate, type X509 } from '../../deviceCredentials.ts';
import { Failure } from '../../failures/failure.ts';
import { fileFailure } from '../../failures/fileFailure.ts';
import { durableRemove, durableReplace, type FileAttributes } from '../../files/durable.ts';
import { readLimited } from '../../files/readLimited.ts';
import { Secret } from '../../secret.ts';
import { listBackups } from './backups.ts';
import { CLIENT_FILE, type ConfiguredCertificate, configuredLogin } from './configuredLogin.ts';
import { MAX_CONFIG_BYTES, THERMAL_CONFIG } from './thermalConfig.ts';

const MAX_PEM_BYTES = 64 * 1024;

/**
 * Writes the certificate and its key durably, before a thermal_config.json names them. Mode 0600.
 * @param attributes those of thermal_config.json: its owner uses the key
 * @throws Failure DISK_FULL, DISK_ERROR, FOLDER_NOT_WRITABLE, FILE_NOT_PERMITTED
 */
export async function writeClientFiles(
  deviceFolder: string,
  credentials: X509,
  { owner }: FileAttributes,
): Promise<void> {
  const names = configuredLogin(credentials);
  if (names.type !== 'X509_CERTIFICATE') return;
  const attributes = { mode: 0o600, ...(owner === undefined ? {} : { owner }) };
  await durableReplace(join(deviceFolder, names.keyFile), Buffer.from(credentials.key.reveal()), attributes);
  await durableReplace(join(deviceFolder, names.certFile), Buffer.from(credentials.certificate), attributes);
}

async function pemIn(deviceFolder: string, name: string, setting: string): Promise<string> {
  const path = resolve(deviceFolder, name);
  const read = await readLimited(path, MAX_PEM_BYTES);
  if (read.ok) return read.bytes.toString('utf8');
  const why = read.problem === 'absent' ? 'there is no such file' : "it can't be read";
  throw new Failure('CLIENT_CERTIFICATE_UNUSABLE', 'file', { path, setting, why }, read.cause);
}

/**
 * Reads the certificate and the key that a configuration names.
 * @throws Failure CLIENT_CERTIFICATE_UNUSABLE
 */
export async function readClientFiles(login: ConfiguredCertificate, deviceFolder: string): Promise<X509> {
  const certificate = await pemIn(deviceFolder, login.certFile, 'client_cert_file');
  const key = new Secret(await pemIn(deviceFolder, login.keyFile, 'client_key_file'));
  const unusable = (name: string, setting: string, why: string): Failure =>
    new Failure('CLIENT_CERTIFICATE_UNUSABLE', 'file', { path: resolve(deviceFolder, name), setting, why });
  if (!isCertificate(certificate))
    throw unusable(login.certFile, 'client_cert_file', 'it does not hold a certificate in PEM form');
  if (!isKeyOf(key, certificate)) {
    throw unusable(
      login.keyFile,
      'client_key_file',
      'it does not hold the private key of the certificate without a password',
    );
  }
  return { type: login.type, certificate, key };
}

/**
 * Removes the files of certificates that neither thermal_config.json nor a backup names.
 * @returns the names of the removed files
 * @throws Failure DISK_ERROR, FOLDER_NOT_WRITABLE, FILE_NOT_PERMITTED
 */
export async function pruneClientFiles(deviceFolder: string): Promise<readonly string[]> {
  const names = await readdir(deviceFolder).catch((error: unknown) => {
    throw fileFailure(error, `list the folder ${deviceFolder}`);
  });
  const files = names.filter((name) => CLIENT_FILE.test(name));
  if (files.length === 0) return [];
  const texts: Buffer[] = [];
  for (const path of [
    join(deviceFolder, THERMAL_CONFIG),
    ...(await listBackups(deviceFolder)).map((one) => one.path),
  ]) {
    const read = await readLimited(path, MAX_CONFIG_BYTES);
    // What a file that can't be read names is not known, so nothing is removed.
    if (!read.ok) return [];
    texts.push(read.bytes);
  }
  const unnamed = files.filter((name) => !texts.some((text) => text.includes(name)));
  for (const name of unnamed) await durableRemove(join(deviceFolder, name));
  return unnamed;
}
