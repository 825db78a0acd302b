/** What the states of a run take from credentials.json and store in it. The document itself: credentials.ts. */

import type { GrantSummary } from '../../machines/provision.types.ts';
import type { DevicePaths } from '../device/paths.ts';
import { Failure } from '../failures/failure.ts';
import type { Log } from '../log/log.ts';
import type { Clock } from '../time/clock.ts';
import { type Credentials, type Grant, readCredentials, writeCredentials } from './credentials.ts';

/** The part of a grant that the chart may know. */
export const grantSummary = (grant: Grant, runId: string | null): GrantSummary => ({
  deviceName: grant.deviceName,
  fingerprint: grant.token.fingerprint(),
  successSeen: grant.successSeenBy !== null && grant.successSeenBy === runId,
});

/** Where credentials.json is, and where its problems are logged. */
export interface CredentialsReader {
  readonly paths: Pick<DevicePaths, 'credentials'>;
  readonly log: Log;
  readonly clock: Clock;
}

/**
 * credentials.json, which `prepare` has written.
 * @throws Failure CREDENTIALS_LOST, CREDENTIALS_NEWER, CREDENTIALS_FOREIGN_OWNER
 */
export async function storedCredentials({ paths, log, clock }: CredentialsReader): Promise<Credentials> {
  const stored = await readCredentials(paths.credentials, log, clock.now());
  if (stored !== undefined) return stored;
  throw new Failure('CREDENTIALS_LOST', 'gone', { path: paths.credentials });
}

/** The grant in credentials.json. @throws Failure CREDENTIALS_LOST, CREDENTIALS_NEWER, CREDENTIALS_FOREIGN_OWNER */
export async function storedGrant(dependencies: CredentialsReader): Promise<Grant> {
  const { granted } = await storedCredentials(dependencies);
  if (granted !== null) return granted;
  throw new Failure('CREDENTIALS_LOST', 'notIssued', { path: dependencies.paths.credentials });
}

/** Makes a grant durable. @throws Failure of durableReplace */
export function storeGrant(
  { paths }: Pick<CredentialsReader, 'paths'>,
  credentials: Credentials,
  granted: Grant,
): Promise<void> {
  return writeCredentials(paths.credentials, { ...credentials, granted });
}
