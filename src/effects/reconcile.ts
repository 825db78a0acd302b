import type { ReconcileInput, ReconcileOutput } from '../../machines/provision.types.ts';
import { boardSecretFile } from '../config/provision/boardSecretFile.ts';
import { currentSettings, endpointOf } from '../config/provision/currentSettings.ts';
import { fingerprintOf } from '../deviceCredentials.ts';
import type { Candidate, IssuedCredentials } from '../state/credentials.ts';
import { issuedSummary, storedCredentials, storeIssued } from '../state/runCredentials.ts';
import { proveCredentials } from '../thingsboard/proveCredentials.ts';
import type { EffectCall, EffectDependencies } from './dependencies.ts';

/**
 * Checks whether a request succeeded that was not answered, or answered FAILURE. The device generated the credentials in
 * the request, so a server that accepts them has the device (docs/thingsboard.md, section 4, "The trap"). The
 * credentials of a device that was found are stored durably as issued.
 * @throws Failure of the network (the outcome stays unknown), NOT_THINGSBOARD, SETTINGS_CHANGED, CREDENTIALS_*, DISK_*
 */
export async function reconcile(
  dependencies: EffectDependencies,
  { input, signal }: EffectCall<ReconcileInput>,
): Promise<ReconcileOutput> {
  const { clock, log, paths, externalSettings } = dependencies;
  const settings = await currentSettings(dependencies, input.settingsDigest);
  const server = await endpointOf(settings, paths.deviceFolder);
  const credentials = await storedCredentials(dependencies);
  for (const candidate of probedNewestFirst(credentials.candidates, input)) {
    const proof = await proveCredentials({
      server,
      credentials: candidate.credentials,
      deviceName: candidate.name,
      timeoutMs: settings.timeoutSeconds * 1000,
      signal,
      standby: dependencies.standby,
    });
    if (proof.kind === 'proven') {
      const issued: IssuedCredentials = {
        deviceName: candidate.name,
        credentials: candidate.credentials,
        successSeenBy: null,
      };
      await storeIssued(dependencies, credentials, issued);
      const details = { deviceName: candidate.name, token: fingerprintOf(candidate.credentials) };
      // No request of this run is unanswered, so the board secret has brought back a device of an earlier life.
      if (candidate.answered && boardSecretFile(settings, externalSettings) !== undefined) {
        const text = `The server knows the credentials that the board secret gives: ${candidate.name} is used again, and its configuration is renewed`;
        log.info('reconcile.recovered', text, details);
      } else {
        log.info('reconcile.accepted', `An earlier request succeeded: ${candidate.name} is registered`, details);
      }
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
