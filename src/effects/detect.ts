import type { DetectInput, DetectOutput } from '../../machines/provision.types.ts';
import { triggerIdentity } from '../device/trigger.ts';
import { hostAndPort } from '../endpoint.ts';
import { fileExists } from '../files/fileExists.ts';
import { readCredentials, registeredNothing } from '../state/credentials.ts';
import type { EffectCall, EffectDependencies } from './dependencies.ts';

/**
 * FR-001: looks for provision.txt, and for an unfinished earlier run.
 * @throws Failure DISK_ERROR, FILE_NOT_PERMITTED
 */
export async function detect(dependencies: EffectDependencies, _call: EffectCall<DetectInput>): Promise<DetectOutput> {
  const { paths, clock } = dependencies;
  const trigger = await triggerIdentity(paths.provisionTxt);
  const unfinished = await fileExists(paths.credentials);
  const warnings = trigger === null && unfinished ? [await withdrawnWarning(dependencies)] : [];
  return { trigger, unfinished, warnings, at: clock.now() };
}

async function withdrawnWarning({ paths, clock, log }: EffectDependencies): Promise<string> {
  const stored = await readCredentials(paths.credentials, log, clock.now());
  const gone = 'provision.txt was removed before the run ended; nothing more is sent';
  if (stored === undefined) return gone;
  if (registeredNothing(stored)) return gone;
  const names = stored.candidates.map(({ name }) => name).join(', ');
  return `${gone}. A device ${names} may exist on ${hostAndPort(stored.target)}: put provision.txt back to resume the run, or delete the device there`;
}
