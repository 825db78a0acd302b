import type { DeviceCredentials } from '../../deviceCredentials.ts';
import type { ConfiguredLogin } from './configuredLogin.ts';

/**
 * The credentials of a configured login.
 * @throws Failure CLIENT_CERTIFICATE_UNUSABLE
 */
export async function credentialsOf(login: ConfiguredLogin, deviceFolder: string): Promise<DeviceCredentials> {
  if (login.type !== 'X509_CERTIFICATE') return login;
  const { readClientFiles } = await import('./clientFiles.ts');
  return readClientFiles(login, deviceFolder);
}
