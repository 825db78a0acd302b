/** How the states of a run read and write credentials.json. credentials.ts defines the document. */

import type { IssuedSummary } from '../../machines/provision.types.ts';
import type { DevicePaths } from '../device/paths.ts';
import { fingerprintOf } from '../deviceCredentials.ts';
import { Failure } from '../failures/failure.ts';
import type { Log } from '../log/log.ts';
import type { Clock } from '../time/clock.ts';
import { type Credentials, type IssuedCredentials, readCredentials, writeCredentials } from './credentials.ts';

/** The part of the issued credentials that the chart may hold: no secret. */
export const issuedSummary = (issued: IssuedCredentials, runId: string | null): IssuedSummary => ({
  deviceName: issued.deviceName,
  fingerprint: fingerprintOf(issued.credentials),
  successSeen: issued.successSeenBy !== null && issued.successSeenBy === runId,
});

/** Needed to read credentials.json: its path, and the log for its problems. */
export interface CredentialsReader {
  readonly paths: Pick<DevicePaths, 'credentials'>;
  readonly log: Log;
  readonly clock: Clock;
}

/**
 * Reads credentials.json, which `prepare` has written.
 * @throws Failure CREDENTIALS_LOST, CREDENTIALS_NEWER, CREDENTIALS_FOREIGN_OWNER
 */
export async function storedCredentials({ paths, log, clock }: CredentialsReader): Promise<Credentials> {
  const stored = await readCredentials(paths.credentials, log, clock.now());
  if (stored !== undefined) return stored;
  throw new Failure('CREDENTIALS_LOST', 'gone', { path: paths.credentials });
}

/** Reads the issued credentials. @throws Failure CREDENTIALS_LOST, CREDENTIALS_NEWER, CREDENTIALS_FOREIGN_OWNER */
export async function issuedCredentials(dependencies: CredentialsReader): Promise<IssuedCredentials> {
  const { granted } = await storedCredentials(dependencies);
  if (granted !== null) return granted;
  throw new Failure('CREDENTIALS_LOST', 'notIssued', { path: dependencies.paths.credentials });
}

/**
 * Stores durably whether the server answered every request with a candidate.
 * @returns the stored credentials
 * @throws Failure of durableReplace
 */
export async function storeAnswered(
  { paths }: Pick<CredentialsReader, 'paths'>,
  credentials: Credentials,
  nameIndex: number,
  answered: boolean,
): Promise<Credentials> {
  const { candidates } = credentials;
  const changed = candidates.map((known) => (known.nameIndex === nameIndex ? { ...known, answered } : known));
  await writeCredentials(paths.credentials, { ...credentials, candidates: changed });
  return { ...credentials, candidates: changed };
}

/** Stores issued credentials durably. @throws Failure of durableReplace */
export function storeIssued(
  { paths }: Pick<CredentialsReader, 'paths'>,
  credentials: Credentials,
  granted: IssuedCredentials,
): Promise<void> {
  return writeCredentials(paths.credentials, { ...credentials, granted });
}
