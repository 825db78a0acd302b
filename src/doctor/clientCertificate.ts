import { createPrivateKey } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { isJsonObject } from '../config/json/strictJson.ts';
import { readClientFiles } from '../config/thermal/clientFiles.ts';
import { readConfigText } from '../config/thermal/configText.ts';
import { loginOfSection, loginTexts } from '../config/thermal/configuredLogin.ts';
import { CLIENT_KEY } from '../device/clientKey.ts';
import { toFailure } from '../failures/failure.ts';
import { readLimited } from '../files/readLimited.ts';
import { type Finding, passed, warning } from './check.ts';

const MAX_KEY_BYTES = 64 * 1024;

/** A warning if other users can read a private key. */
async function exposure(path: string): Promise<Finding[]> {
  const { mode } = await stat(path);
  if ((mode & 0o077) === 0) return [];
  const bits = (mode & 0o777).toString(8);
  return [warning(`other users can access the private key ${path} (mode ${bits})`, `Run: chmod 600 ${path}`)];
}

/** Checks the files of the certificate with which the camera logs in now. No findings: it logs in without one. */
export async function checkConfiguredCertificate(
  deviceFolder: string,
  bytes: Uint8Array | undefined,
): Promise<Finding[]> {
  const json = bytes === undefined ? undefined : readConfigText(bytes);
  const section = json?.ok === true ? json.value.thingsboard : undefined;
  const login = isJsonObject(section) ? loginOfSection(loginTexts(section)) : undefined;
  if (login?.type !== 'X509_CERTIFICATE' || login.keyFile === '') return [];
  try {
    await readClientFiles(login, deviceFolder);
    const fine = passed(`the camera logs in with the certificate ${login.certFile}, and its key fits`);
    return [fine, ...(await exposure(resolve(deviceFolder, login.keyFile)))];
  } catch (error) {
    const { message, hint } = toFailure(error);
    return [warning(message, hint)];
  }
}

/** Checks client_key.pem, the key of a pre-provisioned device with a certificate. No findings: there is none. */
export async function checkClientKey(deviceFolder: string): Promise<Finding[]> {
  const path = join(deviceFolder, CLIENT_KEY);
  const read = await readLimited(path, MAX_KEY_BYTES);
  if (!read.ok && read.problem === 'absent') return [];
  const hint = 'If the device has a certificate on the server, put its private key there: PEM, without a password.';
  if (!read.ok) return [warning(`${path} can't be read`, hint)];
  try {
    const { asymmetricKeyType } = createPrivateKey(read.bytes);
    return [passed(`${path} holds a private key (${asymmetricKeyType})`), ...(await exposure(path))];
  } catch {
    return [warning(`${path} does not hold a private key without a password`, hint)];
  }
}
