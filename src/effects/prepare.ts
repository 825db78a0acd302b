import type { PrepareInput, PrepareOutput } from '../../machines/provision.types.ts';
import { currentSettings } from '../config/provision/currentSettings.ts';
import { isForeignBoard } from '../device/board.ts';
import { deviceNameFor, generateToken } from '../device/candidate.ts';
import { hostAndPort } from '../endpoint.ts';
import { setAside } from '../files/ownFiles.ts';
import { type Candidate, type Credentials, readCredentials, writeCredentials } from '../state/credentials.ts';
import { issuedSummary } from '../state/runCredentials.ts';
import type { EffectCall, EffectDependencies } from './dependencies.ts';

const namesIn = (credentials: Credentials): string => credentials.candidates.map(({ name }) => name).join(', ');

/** Why stored credentials can't be used by this run; undefined: they can. */
function unusableBecause(
  stored: Credentials,
  { board }: EffectDependencies,
  input: PrepareInput,
): { why: 'foreign' | 'superseded'; warning: string } | undefined {
  const where = hostAndPort(stored.target);
  if (isForeignBoard(stored.board, board)) {
    return {
      why: 'foreign',
      warning: `The unfinished run in this folder belongs to another board (was the card cloned?): ${namesIn(stored)} on ${where} stays that board’s device, and this board draws its own name`,
    };
  }
  if (stored.target.digest === input.settingsDigest) return undefined;
  return {
    why: 'superseded',
    warning: `provision.json was changed after a request may have left: a device ${namesIn(stored)} that nobody uses may exist on ${where}; delete it there`,
  };
}

/** Whether only this run has drawn, and nothing was granted: then, as it has sent nothing, no device can exist. */
const isOwnDraw = ({ candidates, granted }: Credentials, runId: string): boolean =>
  granted === null && candidates.every((candidate) => candidate.runId === runId);

/** Takes over what an earlier attempt stored, unless it is another board's or for another server. */
async function usableCredentials(
  dependencies: EffectDependencies,
  input: PrepareInput,
): Promise<{ stored: Credentials | undefined; warnings: string[] }> {
  const { paths, log, clock } = dependencies;
  const stored = await readCredentials(paths.credentials, log, clock.now());
  if (stored === undefined) return { stored, warnings: [] };
  const reason = unusableBecause(stored, dependencies, input);
  if (reason === undefined) return { stored, warnings: [] };
  if (reason.why === 'superseded' && input.startedOver && isOwnDraw(stored, input.runId)) {
    return { stored: undefined, warnings: [] };
  }
  const movedTo = await setAside(paths.credentials, reason.why, clock.now());
  log.warn(`credentials.${reason.why}`, reason.warning, { movedTo });
  return { stored: undefined, warnings: [reason.warning] };
}

/**
 * Name and access token for this run: what is stored is used again, and only what is missing is drawn; durable before
 * it resolves. The device draws its own token so that it can find out later whether a lost request succeeded. The pause
 * of --splay follows, in which a kill loses nothing: this effect starts again then, and the power may just be back.
 * @throws Failure SETTINGS_CHANGED, PROVISION_JSON_*, CREDENTIALS_*, DISK_*, FOLDER_NOT_WRITABLE
 */
export async function prepare(
  dependencies: EffectDependencies,
  { input, signal }: EffectCall<PrepareInput>,
): Promise<PrepareOutput> {
  const { paths, log, clock, board } = dependencies;
  const settings = await currentSettings(dependencies, input.settingsDigest);
  const { stored, warnings } = await usableCredentials(dependencies, input);
  // An earlier run may have come further than the first name.
  const nameIndex = Math.max(input.nameIndex, ...(stored?.candidates.map((candidate) => candidate.nameIndex) ?? []));
  let candidate = stored?.candidates.find((known) => known.nameIndex === nameIndex);
  if (candidate === undefined) {
    candidate = {
      nameIndex,
      name: await deviceNameFor(settings.name),
      token: generateToken(),
      runId: input.runId,
    } satisfies Candidate;
    signal.throwIfAborted();
    await writeCredentials(paths.credentials, {
      target: { digest: input.settingsDigest, host: settings.host, port: settings.port },
      board,
      candidates: [...(stored?.candidates ?? []), candidate],
      granted: stored?.granted ?? null,
    });
    log.info('candidate.drawn', `Drew the device name ${candidate.name} and an access token for it`, {
      deviceName: candidate.name,
      token: candidate.token.fingerprint(),
    });
  } else {
    log.info('candidate.adopted', `Goes on with the device name ${candidate.name}, drawn earlier`, {
      deviceName: candidate.name,
      token: candidate.token.fingerprint(),
      drawnByRun: candidate.runId,
    });
  }
  const granted = stored?.granted ?? null;
  // Only the first contact is spread: a second name is drawn in the middle of a conversation with the server, and a name
  // of an earlier run was part of one.
  const isFirstContact = nameIndex === 1 && candidate.runId === input.runId && granted === null;
  if (isFirstContact) await dependencies.splay?.(candidate.name, signal);
  return {
    nameIndex,
    deviceName: candidate.name,
    fingerprint: candidate.token.fingerprint(),
    reused: candidate.runId !== input.runId,
    granted: granted === null ? null : issuedSummary(granted, input.runId),
    warnings,
    at: clock.now(),
  };
}
