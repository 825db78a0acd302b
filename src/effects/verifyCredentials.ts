import type { VerifyCredentialsInput, VerifyCredentialsOutput } from '../../machines/provision.types.ts';
import { currentSettings, endpointOf } from '../config/provision/currentSettings.ts';
import { areEqual, fingerprintOf } from '../deviceCredentials.ts';
import { hostAndPort, type ServerEndpoint } from '../endpoint.ts';
import { Failure, toFailureRecord } from '../failures/failure.ts';
import type { IssuedCredentials } from '../state/credentials.ts';
import { issuedCredentials, issuedSummary, storedCredentials, storeIssued } from '../state/runCredentials.ts';
import { proveCredentials } from '../thingsboard/proveCredentials.ts';
import type { EffectCall, EffectDependencies } from './dependencies.ts';

/**
 * FR-012: tests the issued credentials with a separate connection. If the server accepts the connection but does not
 * answer a request for attributes, that is proof only if this run received the server's SUCCESS.
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
    credentials: issued.credentials,
    deviceName: issued.deviceName,
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
        token: fingerprintOf(issued.credentials),
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
 * Without TLS the answer may have been garbled, and the server knows the credentials that the device sent instead. Tests
 * those, and stores them as issued if they work.
 * @returns undefined when the server refuses the device's own credentials too, or when the issued ones are the same
 */
async function proveOwnToken(
  dependencies: EffectDependencies,
  server: ServerEndpoint,
  timeoutMs: number,
  issued: IssuedCredentials,
  signal: AbortSignal,
): Promise<{ issued: IssuedCredentials; warning: string } | undefined> {
  const credentials = await storedCredentials(dependencies);
  const candidate = credentials.candidates.find(
    ({ name, credentials: own }) => name === issued.deviceName && !areEqual(own, issued.credentials),
  );
  if (candidate === undefined) return undefined;
  const proof = await proveCredentials({
    server,
    credentials: candidate.credentials,
    deviceName: candidate.name,
    timeoutMs,
    signal,
    standby: dependencies.standby,
  });
  if (proof.kind !== 'proven') return undefined;
  const own: IssuedCredentials = { ...issued, credentials: candidate.credentials };
  await storeIssued(dependencies, credentials, own);
  const warning = `${server.host} refuses the credentials of its own answer, but accepts those that this device generated: using those`;
  dependencies.log.warn('verify.ownToken', warning, {
    deviceName: candidate.name,
    token: fingerprintOf(candidate.credentials),
  });
  return { issued: own, warning };
}
