import { trustedAuthorities } from '../config/authorities/caFile.ts';
import { endpointOf } from '../config/provision/currentSettings.ts';
import type { ProvisionSettings } from '../config/provision/provisionJson.ts';
import type { ServerEndpoint } from '../endpoint.ts';
import { type Checked, passed, skipped } from './check.ts';

/** Checks the certificate authorities that the connection will trust. The fact is the server with its authorities. */
export async function checkAuthorities(
  deviceFolder: string,
  settings: ProvisionSettings,
): Promise<Checked<ServerEndpoint>> {
  const fact = await endpointOf(settings, deviceFolder);
  if (!settings.useSsl) return { fact, findings: [skipped('not used, because use_ssl is false')] };
  const bundle = (await trustedAuthorities(deviceFolder, settings, 'provisioning')) ?? '';
  const count = [...bundle.matchAll(/-----BEGIN CERTIFICATE-----/g)].length;
  const from = settings.caFile ?? (bundle === '' ? "Node's built-in list" : "the system's bundle");
  return { fact, findings: [passed(bundle === '' ? from : `${count} in ${from}`)] };
}
