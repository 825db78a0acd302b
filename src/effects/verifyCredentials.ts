import type { VerifyCredentialsInput, VerifyCredentialsOutput } from '../../machines/provision.types.ts';
import { Failure, toFailureRecord } from '../failure.ts';
import { proveCredentials } from '../thingsboard/proveCredentials.ts';
import { currentSettings, endpointOf } from './currentSettings.ts';
import type { EffectCall, EffectDependencies } from './dependencies.ts';
import { storedGrant } from './runCredentials.ts';

/**
 * FR-012: the granted credentials are proven by a connection of their own. Where the server accepts them but does not
 * answer the device's question in time, that is proof enough only if this run has seen the server's SUCCESS.
 * @throws Failure of the network, NOT_THINGSBOARD, SETTINGS_CHANGED, CREDENTIALS_*
 */
export async function verifyCredentials(
  dependencies: EffectDependencies,
  { input, signal }: EffectCall<VerifyCredentialsInput>,
): Promise<VerifyCredentialsOutput> {
  const { clock, log, paths } = dependencies;
  const settings = await currentSettings(dependencies, input.settingsDigest);
  const endpoint = await endpointOf(settings, paths.deviceFolder);
  const grant = await storedGrant(dependencies);
  const proof = await proveCredentials({
    server: endpoint,
    token: grant.token,
    clientId: grant.deviceName,
    timeoutMs: settings.timeoutSeconds * 1000,
    signal,
  });
  const { host, port, useSsl } = endpoint;
  const server = { host, port, useSsl, caFile: settings.caFile ?? null };
  switch (proof.kind) {
    case 'proven':
      log.info('verify.proven', `${host} accepts the new credentials of ${grant.deviceName}`, {
        deviceName: grant.deviceName,
        token: grant.token.fingerprint(),
      });
      return { outcome: 'proven', by: 'attributes', server, at: clock.now() };
    case 'accepted': {
      if (!input.successSeen) throw proof.failure;
      const warning = `${host} accepted the new credentials, but did not answer a request for attributes`;
      log.warn('verify.unanswered', warning, { deviceName: grant.deviceName });
      return { outcome: 'proven', by: 'connack', server, warnings: [warning], at: clock.now() };
    }
    case 'refused': {
      const failure = new Failure(
        'CREDENTIALS_REFUSED',
        `${host}:${port} refuses the credentials that it granted to ${grant.deviceName}`,
        {
          hint: `Look on the server whether ${grant.deviceName} still exists and whether its access token was changed. If it was deleted: remove ${paths.credentials}, and the next boot registers the device anew.`,
        },
      );
      log.warn('verify.refused', failure.message, { deviceName: grant.deviceName });
      return { outcome: 'refused', failure: toFailureRecord(failure), at: clock.now() };
    }
    case 'failed':
      throw proof.failure;
  }
}
