/** Connects as the device of a thermal_config.json, with any kind of login, without the agent's code. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { IClientOptions } from 'mqtt';
import type { DevicePaths } from '../../src/device/paths.ts';
import { askAsDevice } from './deviceLogin.ts';

const LOGIN = ['access_token', 'client_id', 'username', 'password', 'client_cert_file', 'client_key_file'];

/** Section `thingsboard` of thermal_config.json. */
export async function thingsboardSection({ thermalConfig }: DevicePaths): Promise<Readonly<Record<string, unknown>>> {
  return JSON.parse(await readFile(thermalConfig, 'utf8')).thingsboard;
}

/** The keys with which the camera logs in. */
export async function loginKeys(paths: DevicePaths): Promise<readonly string[]> {
  const section = await thingsboardSection(paths);
  return LOGIN.filter((key) => key in section);
}

/** `answered` when the server lets the camera of the file in and answers it, or the reason why not. */
export async function loginWithFile(paths: DevicePaths): Promise<string> {
  const section = await thingsboardSection(paths);
  const text = (key: string): string | undefined => {
    const value = section[key];
    return typeof value === 'string' ? value : undefined;
  };
  const file = async (key: string): Promise<string | undefined> => {
    const name = text(key);
    return name === undefined ? undefined : readFile(join(paths.deviceFolder, name), 'utf8');
  };
  const [clientId, username, password] = [
    text('client_id'),
    text('access_token') ?? text('username'),
    text('password'),
  ];
  const [ca, cert, key] = [await file('ca_file'), await file('client_cert_file'), await file('client_key_file')];
  const options: IClientOptions = {
    host: text('host') ?? '',
    port: Number(section.port),
    ...(section.use_ssl === true ? { protocol: 'mqtts' } : {}),
    ...(clientId === undefined ? {} : { clientId }),
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
  return askAsDevice(options);
}
