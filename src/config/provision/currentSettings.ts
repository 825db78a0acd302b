import type { DevicePaths } from '../../device/paths.ts';
import type { ServerEndpoint } from '../../endpoint.ts';
import { Failure } from '../../failures/failure.ts';
import type { Log } from '../../log/log.ts';
import { trustedAuthorities } from '../authorities/caFile.ts';
import type { ExternalSettings } from './externalSettings.ts';
import { type ProvisionSettings, readProvisionJson, settingsDigest } from './provisionJson.ts';

/** Where provision.json is read, and where a change is logged. */
export interface SettingsReader {
  readonly paths: Pick<DevicePaths, 'provisionJson'>;
  readonly externalSettings?: ExternalSettings | undefined;
  readonly log: Log;
}

/**
 * provision.json as it is now, for an effect that talks to the server: secret and limits may have been corrected
 * meanwhile, but server, key and name must be those that the run began with, so that a token never goes to a second
 * server.
 * @throws Failure SETTINGS_CHANGED, PROVISION_JSON_MISSING, PROVISION_JSON_UNREADABLE, PROVISION_JSON_INVALID
 */
export async function currentSettings(
  { paths, externalSettings, log }: SettingsReader,
  expectedDigest: string,
): Promise<ProvisionSettings> {
  const { settings } = await readProvisionJson(paths.provisionJson, externalSettings);
  if (settingsDigest(settings) === expectedDigest) return settings;
  log.warn('settings.changed', 'provision.json names another server, key or device name than when this run began');
  throw new Failure('SETTINGS_CHANGED', 'once', {});
}

/** @throws Failure CA_FILE_UNUSABLE */
export async function endpointOf(settings: ProvisionSettings, deviceFolder: string): Promise<ServerEndpoint> {
  const { host, port, useSsl } = settings;
  return { host, port, useSsl, ca: await trustedAuthorities(deviceFolder, settings, 'provisioning') };
}
