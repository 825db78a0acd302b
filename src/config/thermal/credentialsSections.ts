import type { Secret } from '../../secret.ts';
import { isJsonObject, type JsonObject } from '../json/strictJson.ts';
import { readConfigText } from './configText.ts';
import { type ConfiguredLogin, loginEntries, staleLoginKeys } from './configuredLogin.ts';

/** What provisioning writes into thermal_config.json. */
export interface ConfigCredentials {
  readonly host: string;
  readonly port: number;
  readonly useSsl: boolean;
  /** Set only if a CA file is used. */
  readonly caFile?: string;
  /** URL of the proxy that provision.json names; null: it names none, and an old one goes; absent: an old one stays. */
  readonly proxy?: Secret | null;
  readonly login: ConfiguredLogin;
  readonly deviceId: string;
  /** ISO 8601. */
  readonly provisionedAt: string;
  readonly runId: string;
  /** Name of the backup of the previous file; null if there was no file. */
  readonly backup: string | null;
}

type Value = string | number | boolean | null;
/** Keys and values of one section, in the order in which they are set. */
export type Entries = readonly (readonly [key: string, value: Value])[];

/** The keys of section `thingsboard` that provisioning sets. */
export function thingsboardEntries(credentials: ConfigCredentials): Entries {
  const { host, port, login, deviceId, useSsl, caFile, proxy } = credentials;
  return [
    ['host', host],
    ['port', port],
    ...loginEntries(login),
    ['device_id', deviceId],
    ['use_ssl', useSsl],
    ...(caFile === undefined ? [] : [['ca_file', caFile] as const]),
    ...(proxy ? [['proxy', proxy.reveal()] as const] : []),
  ];
}

/** The keys of section `provisioning`: they tell operators where the credentials came from. */
export function provisioningEntries(credentials: ConfigCredentials): Entries {
  return [
    ['provisioned_at', credentials.provisionedAt],
    ['provisioned_by', 'thermal-provision'],
    ['run_id', credentials.runId],
    ['backup', credentials.backup],
  ];
}

/** Section `thingsboard` for a file without one. */
export const newThingsboard = (credentials: ConfigCredentials) => ({
  ...Object.fromEntries(thingsboardEntries(credentials)),
  keep_alive_seconds: 60,
  qos_level: 1,
});

/** Section `telemetry` for a file without one: one spot in the middle of the image. */
export const DEFAULT_TELEMETRY = {
  interval_seconds: 15,
  batch_transmission: false,
  retry_attempts: 3,
  retry_delay_ms: 1000,
  measurement_spots: [
    { id: 1, name: 'Center Spot', x: 160, y: 120, min_temp: 20, max_temp: 80, noise_factor: 0.1, enabled: true },
  ],
};

const DEFAULT_LOGGING = { level: 'info', output: 'console', log_file: 'thermal-mqtt.log' };

/** The content of thermal_config.json for a device without one. */
export function freshConfig(credentials: ConfigCredentials): Buffer {
  const config = {
    thingsboard: newThingsboard(credentials),
    telemetry: DEFAULT_TELEMETRY,
    logging: DEFAULT_LOGGING,
    provisioning: Object.fromEntries(provisioningEntries(credentials)),
  };
  return Buffer.from(`${JSON.stringify(config, null, 2)}\n`);
}

/** The section that names server and device; undefined if the camera could not read it. */
function thingsboardIn(bytes: Uint8Array): JsonObject | undefined {
  const json = readConfigText(bytes);
  const section = json.ok ? json.value.thingsboard : undefined;
  return isJsonObject(section) ? section : undefined;
}

/** Whether a thermal_config.json has this device id and login. The server is not compared. */
export function isDevice(bytes: Uint8Array, deviceId: string, login: ConfiguredLogin): boolean {
  const section = thingsboardIn(bytes);
  return section?.device_id === deviceId && hasLogin(section, login);
}

const hasLogin = (section: JsonObject, login: ConfiguredLogin): boolean =>
  staleLoginKeys(login, section).length === 0 && loginEntries(login).every(([key, value]) => section[key] === value);

/**
 * Whether a thermal_config.json already has these credentials: host, port, login, device id, use_ssl, and ca_file if
 * one is used. The time and the run of the provisioning are not compared.
 */
export function carriesCredentials(bytes: Uint8Array, credentials: ConfigCredentials): boolean {
  const section = thingsboardIn(bytes);
  if (section === undefined || !hasLogin(section, credentials.login)) return false;
  return thingsboardEntries(credentials).every(([key, value]) => section[key] === value);
}
