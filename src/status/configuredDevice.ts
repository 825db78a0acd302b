import { isJsonObject, type JsonObject } from '../config/json/strictJson.ts';
import { readConfigText } from '../config/thermal/configText.ts';
import { loginFingerprint, loginOfSection, loginTexts } from '../config/thermal/configuredLogin.ts';
import { readThermalConfig } from '../config/thermal/thermalConfig.ts';

/** The device that thermal_config.json names. It never holds its credentials. */
export interface ConfiguredDevice {
  readonly deviceId: string | null;
  readonly host: string | null;
  readonly port: number | null;
  /** Eight digits of the digest of its credentials. */
  readonly fingerprint: string | null;
  /** The run that wrote the credentials. */
  readonly runId: string | null;
  /** When the credentials were written, ISO 8601. */
  readonly provisionedAt: string | null;
  /** Why the camera can't load the file; empty: it can. */
  readonly problems: readonly string[];
}

const MAX_TEXT = 255;

const textIn = (value: unknown): string | null =>
  typeof value === 'string' && value !== '' && value.length <= MAX_TEXT ? value : null;

/** null: the section has no login. */
function fingerprintIn(section: JsonObject): string | null {
  const texts = loginTexts(section);
  return Object.keys(texts).length === 0 ? null : loginFingerprint(loginOfSection(texts));
}

/**
 * Reads which device the camera is configured as; null: there is no thermal_config.json.
 * @throws Failure CONFIG_UNREADABLE, CONFIG_TOO_LARGE, CONFIG_LINK_UNTRUSTED, DISK_ERROR
 */
export async function readConfiguredDevice(deviceFolder: string): Promise<ConfiguredDevice | null> {
  const { bytes, problems } = await readThermalConfig(deviceFolder, 'read');
  if (bytes === undefined) return null;
  const json = readConfigText(bytes);
  const { thingsboard, provisioning }: Readonly<Record<string, unknown>> = json.ok ? json.value : {};
  const server = isJsonObject(thingsboard) ? thingsboard : {};
  const origin = isJsonObject(provisioning) ? provisioning : {};
  return {
    deviceId: textIn(server.device_id),
    host: textIn(server.host),
    port: typeof server.port === 'number' ? server.port : null,
    fingerprint: fingerprintIn(server),
    runId: textIn(origin.run_id),
    provisionedAt: textIn(origin.provisioned_at),
    problems,
  };
}
