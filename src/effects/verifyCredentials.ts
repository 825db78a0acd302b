import type { VerifyCredentialsInput, VerifyCredentialsOutput } from '../../machines/provision.types.ts';
import { currentSettings, endpointOf } from '../config/provision/currentSettings.ts';
import { hostAndPort, type ServerEndpoint } from '../endpoint.ts';
import { Failure, toFailureRecord } from '../failures/failure.ts';
import type { IssuedCredentials } from '../state/credentials.ts';
import { issuedCredentials, issuedSummary, storedCredentials, storeIssued } from '../state/runCredentials.ts';
import { proveCredentials } from '../thingsboard/proveCredentials.ts';
import type { EffectCall, EffectDependencies } from './dependencies.ts';

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
  const issued = await issuedCredentials(dependencies);
  const proof = await proveCredentials({
    server: endpoint,
    token: issued.token,
    clientId: issued.deviceName,
    timeoutMs: settings.timeoutSeconds * 1000,
    signal,
    standby: dependencies.standby,
  });
  const { host, port, useSsl } = endpoint;
  const server = { host, port, useSsl, caFile: settings.caFile ?? null };
  switch (proof.kind) {
    case 'proven':
      log.info('verify.proven', `${host} accepts the new credentials of ${issued.deviceName}`, {
        deviceName: issued.deviceName,
        token: issued.token.fingerprint(),
      });
      return { outcome: 'proven', by: 'attributes', server, at: clock.now() };
    case 'accepted': {
      if (!input.successSeen) throw proof.failure;
      const warning = `${host} accepted the new credentials, but did not answer a request for attributes`;
      log.warn('verify.unanswered', warning, { deviceName: issued.deviceName });
      return { outcome: 'proven', by: 'connack', server, warnings: [warning], at: clock.now() };
    }
    case 'refused': {
      const own = await proveOwnToken(dependencies, endpoint, settings.timeoutSeconds * 1000, issued, signal);
      if (own !== undefined) {
        const { warning } = own;
        const summary = { ...issuedSummary(own.issued, null), successSeen: input.successSeen };
        return { outcome: 'proven', by: 'attributes', server, issued: summary, warnings: [warning], at: clock.now() };
      }
      const failure = new Failure('CREDENTIALS_REFUSED', 'issued', {
        server: hostAndPort(settings),
        name: issued.deviceName,
        path: paths.credentials,
      });
      log.warn('verify.refused', failure.message, { deviceName: issued.deviceName });
      return { outcome: 'refused', failure: toFailureRecord(failure), at: clock.now() };
    }
    case 'failed':
      throw proof.failure;
  }
}

/**
 * Without TLS the server's SUCCESS may have been garbled on its way: then the token that the device had sent is the one
 * that the server knows. Once that is proven it is stored as granted.
 * @returns undefined when the device's own token is refused too, or was the one granted
 */
async function proveOwnToken(
  dependencies: EffectDependencies,
  server: ServerEndpoint,
  timeoutMs: number,
  issued: IssuedCredentials,
  signal: AbortSignal,
): Promise<{ issued: IssuedCredentials; warning: string } | undefined> {
  const credentials = await storedCredentials(dependencies);
  const candidate = credentials.candidates.find(({ name }) => name === issued.deviceName);
  if (candidate === undefined || candidate.token.equals(issued.token)) return undefined;
  const { token, name } = candidate;
  const proof = await proveCredentials({
    server,
    token,
    clientId: name,
    timeoutMs,
    signal,
    standby: dependencies.standby,
  });
  if (proof.kind !== 'proven') return undefined;
  const own: IssuedCredentials = { ...issued, token };
  await storeIssued(dependencies, credentials, own);
  const warning = `${server.host} refuses the access token of its own answer, but knows the one that this device drew: that one is used`;
  dependencies.log.warn('verify.ownToken', warning, { deviceName: name, token: token.fingerprint() });
  return { issued: own, warning };
}
