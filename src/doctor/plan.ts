import type { ProvisionSettings } from '../config/provision/provisionJson.ts';
import { writtenProxy } from '../config/provision/proxySettings.ts';
import { settingsDigest } from '../config/provision/settingsDigest.ts';
import { listBackups, nextBackupName } from '../config/thermal/backups.ts';
import { type ConfigBase, chooseBase, configWithCredentials, requireLoadable } from '../config/thermal/configBase.ts';
import { readConfigText } from '../config/thermal/configText.ts';
import type { ConfiguredLogin } from '../config/thermal/configuredLogin.ts';
import type { ConfigCredentials } from '../config/thermal/credentialsSections.ts';
import type { ThermalConfigFile } from '../config/thermal/thermalConfig.ts';
import { deviceNameFor } from '../device/deviceName.ts';
import { folderOwner } from '../files/ownFiles.ts';
import { Secret } from '../secret.ts';
import type { Credentials } from '../state/credentials.ts';
import { type Checked, passed } from './check.ts';
import { createMasks, maskedText } from './maskedText.ts';
import { unifiedDiff } from './textDiff.ts';

/** The changes that the next run would write. */
export interface Plan {
  /** The file that would be replaced or created. */
  readonly file: string;
  readonly deviceName: string;
  /** Unified diff with masked credentials; empty when nothing would change. */
  readonly diff: string;
}

const PLACEHOLDERS = {
  token: 'access-token-that-the-run-will-generate',
  userName: 'user-name-that-the-run-will-generate',
  password: 'password-that-the-run-will-generate',
};
const MASKS = new Map([
  [PLACEHOLDERS.token, '[the new access token]'],
  [PLACEHOLDERS.userName, '[the new user name]'],
  [PLACEHOLDERS.password, '[the new password]'],
]);
const RANDOM_PART = 'XXXXXX';

/** Placeholders for the credentials that the run will generate. */
function newLogin({ credentials }: ProvisionSettings, deviceName: string): ConfiguredLogin {
  const { token, userName, password } = PLACEHOLDERS;
  if (credentials === undefined) return { type: 'ACCESS_TOKEN', token: new Secret(token) };
  if (credentials === 'mqtt_basic') {
    const secrets = { userName: new Secret(userName), password: new Secret(password) };
    return { type: 'MQTT_BASIC', clientId: deviceName, ...secrets };
  }
  return { type: 'X509_CERTIFICATE', certFile: 'client_cert-XXXXXXXX.pem', keyFile: 'client_key-XXXXXXXX.pem' };
}

/** The name that the next run would use. The random part of a new name is not known yet. */
async function nameFor(settings: ProvisionSettings, stored: Credentials | undefined, config: string): Promise<string> {
  if (stored !== undefined && stored.target.digest === settingsDigest(settings)) {
    const name = stored.granted?.deviceName ?? stored.candidates.at(-1)?.name;
    if (name !== undefined) return name;
  }
  return deviceNameFor(settings.name, { random: RANDOM_PART, ...(await folderOwner(config)) });
}

function nameOf(base: Exclude<ConfigBase, { from: 'defaults' }>, path: string): string {
  if (base.from === 'backup') return base.name;
  return base.repaired === undefined ? path : `${path} (repaired)`;
}

/**
 * Makes the new thermal_config.json in memory as `write` does, with placeholders for the credentials.
 * @param now ms since the epoch
 * @throws Failure CONFIG_INVALID, PROVISION_JSON_INVALID (a part of the name can't be had), DISK_ERROR
 */
export async function checkNewConfiguration(
  {
    deviceFolder,
    config,
    now,
  }: { readonly deviceFolder: string; readonly config: ThermalConfigFile; readonly now: number },
  settings: ProvisionSettings,
  stored: Credentials | undefined,
): Promise<Checked<Plan>> {
  const backups = await listBackups(deviceFolder);
  const base = await chooseBase(config, backups);
  const deviceName = await nameFor(settings, stored, config.path);
  const { host, port, useSsl, caFile } = settings;
  const credentials: ConfigCredentials = {
    host,
    port,
    useSsl,
    ...(useSsl && caFile !== undefined ? { caFile } : {}),
    login: newLogin(settings, deviceName),
    proxy: writtenProxy(settings),
    deviceId: deviceName,
    provisionedAt: new Date(now).toISOString(),
    runId: 'identifier-of-the-run',
    backup: config.exists ? nextBackupName(now, backups[0]?.time) : null,
  };
  const content = configWithCredentials(base, credentials);
  requireLoadable(base, content);
  const masks = createMasks(MASKS);
  const shown = (bytes: Uint8Array): string => {
    const json = readConfigText(bytes);
    return json.ok ? maskedText(json.text, masks) : '';
  };
  const before =
    base.from === 'defaults'
      ? { name: config.exists ? "(the defaults, because the file can't be used)" : '(no file)', text: '' }
      : { name: nameOf(base, config.path), text: shown(base.bytes) };
  const diff = unifiedDiff(before, { name: `${config.path} (new)`, text: shown(content) });
  const others = base.from === 'defaults' ? 'all other values are defaults' : 'all other values stay';
  return {
    fact: { file: config.path, deviceName, diff },
    findings: [passed(`the device name would be ${deviceName}; ${others}`)],
  };
}
