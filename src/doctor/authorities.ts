import { dependsOnEnvironment } from '../config/authorities/trustedAuthorities.ts';
import { endpointOf } from '../config/provision/currentSettings.ts';
import type { ProvisionSettings } from '../config/provision/provisionJson.ts';
import type { ServerEndpoint } from '../endpoint.ts';
import { type Checked, passed, skipped, warning } from './check.ts';

const HINT =
  'A service does not have the variables of this shell: set them in its unit (Environment=), or better name the file in provisioning.ca_file.';

/** Checks the certificate authorities that the connection will trust. The fact is the server with its authorities. */
export async function checkAuthorities(
  deviceFolder: string,
  settings: ProvisionSettings,
): Promise<Checked<ServerEndpoint>> {
  const fact = await endpointOf(settings, deviceFolder);
  const { ca } = fact;
  if (ca === undefined) return { fact, findings: [skipped('not used, because use_ssl is false')] };
  const count = [...(ca.pem ?? '').matchAll(/-----BEGIN CERTIFICATE-----/g)].length;
  const findings = [passed(ca.pem === undefined ? ca.from : `${count} in ${ca.from}`)];
  if (dependsOnEnvironment(ca)) findings.push(warning('they depend on the environment variables of this shell', HINT));
  return { fact, findings };
}
