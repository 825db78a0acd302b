import type { ReconcileInput, ReconcileOutput } from '../../machines/provision.types.ts';
import { currentSettings, endpointOf } from '../config/provision/currentSettings.ts';
import type { Candidate, IssuedCredentials } from '../state/credentials.ts';
import { issuedSummary, storedCredentials, storeIssued } from '../state/runCredentials.ts';
import { proveCredentials } from '../thingsboard/proveCredentials.ts';
import type { EffectCall, EffectDependencies } from './dependencies.ts';

/**
 * Checks whether a request succeeded that was not answered, or answered FAILURE. The device generated the token in the
 * request, so a server that accepts the token has the device (docs/thingsboard.md, section 4, "The trap"). The
 * credentials of a device that was found are stored durably as issued.
 * @throws Failure of the network (the outcome stays unknown), NOT_THINGSBOARD, SETTINGS_CHANGED, CREDENTIALS_*, DISK_*
 */
export async function reconcile(
  dependencies: EffectDependencies,
  { input, signal }: EffectCall<ReconcileInput>,
): Promise<ReconcileOutput> {
  const { clock, log, paths } = dependencies;
  const settings = await currentSettings(dependencies, input.settingsDigest);
  const server = await endpointOf(settings, paths.deviceFolder);
  const credentials = await storedCredentials(dependencies);
  for (const candidate of probedNewestFirst(credentials.candidates, input)) {
    const proof = await proveCredentials({
      server,
      token: candidate.token,
      clientId: candidate.name,
      timeoutMs: settings.timeoutSeconds * 1000,
      signal,
      standby: dependencies.standby,
    });
    if (proof.kind === 'proven') {
      const issued: IssuedCredentials = { deviceName: candidate.name, token: candidate.token, successSeenBy: null };
      await storeIssued(dependencies, credentials, issued);
      log.info('reconcile.accepted', `An earlier request succeeded: ${candidate.name} is registered`, {
        deviceName: candidate.name,
        token: candidate.token.fingerprint(),
      });
      return { outcome: 'accepted', issued: issuedSummary(issued, null), at: clock.now() };
    }
    if (proof.kind !== 'refused') throw proof.failure;
    log.info('reconcile.refused', `The server does not know ${candidate.name} with our token yet`, {
      deviceName: candidate.name,
    });
  }
  return { outcome: 'refused', issued: null, at: clock.now() };
}

function probedNewestFirst(candidates: readonly Candidate[], input: ReconcileInput): Candidate[] {
  return candidates
    .filter(({ nameIndex }) => nameIndex < input.nameIndex || (nameIndex === input.nameIndex && input.includeCurrent))
    .sort((a, b) => b.nameIndex - a.nameIndex);
}
