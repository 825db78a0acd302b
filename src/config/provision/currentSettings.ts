import type { DevicePaths } from '../../device/paths.ts';
import type { ServerEndpoint } from '../../endpoint.ts';
import { Failure } from '../../failures/failure.ts';
import type { Log } from '../../log/log.ts';
import { trustedAuthorities } from '../authorities/trustedAuthorities.ts';
import type { ExternalSettings } from './externalSettings.ts';
import { type ProvisionSettings, readProvisionJson } from './provisionJson.ts';
import { settingsDigest } from './settingsDigest.ts';

/** The path of provision.json, and the log for a change of it. */
export interface SettingsReader {
  readonly paths: Pick<DevicePaths, 'provisionJson'>;
  readonly externalSettings?: ExternalSettings | undefined;
  readonly log: Log;
}

/**
 * Reads provision.json again before each exchange with the server. Secret and limits may have been corrected since the
 * run began, and the way to the server. Server, key and name must be unchanged, so that a token is never sent to a second
 * server.
 * @throws Failure SETTINGS_CHANGED, PROVISION_JSON_MISSING, PROVISION_JSON_UNREADABLE, PROVISION_JSON_INVALID
 */
export async function currentSettings(
  { paths, externalSettings, log }: SettingsReader,
  expectedDigest: string,
): Promise<ProvisionSettings> {
  const { settings } = await readProvisionJson(paths.provisionJson, externalSettings);
  if (settingsDigest(settings) === expectedDigest) return settings;
  log.warn(
    'settings.changed',
    'provision.json changed during this run: it names a different server, key or device name',
  );
  throw new Failure('SETTINGS_CHANGED', 'once', {});
}

/** @throws Failure CA_FILE_UNUSABLE */
export async function endpointOf(settings: ProvisionSettings, deviceFolder: string): Promise<ServerEndpoint> {
  const { host, port, useSsl, proxy } = settings;
  return { host, port, useSsl, ca: await trustedAuthorities(deviceFolder, settings, 'provisioning'), proxy };
}
