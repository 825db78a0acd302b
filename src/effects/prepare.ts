import type { PrepareInput, PrepareOutput } from '../../machines/provision.types.ts';
import { boardSecretFile } from '../config/provision/boardSecretFile.ts';
import { currentSettings } from '../config/provision/currentSettings.ts';
import type { ProvisionSettings } from '../config/provision/provisionSettings.ts';
import { isForeignBoard, mayBeThisBoard } from '../device/board.ts';
import { drawRandom, generateCredentials } from '../device/candidate.ts';
import { deviceNameFor } from '../device/deviceName.ts';
import { areEqual, type DeviceCredentials, fingerprintOf, labelOf } from '../deviceCredentials.ts';
import { hostAndPort } from '../endpoint.ts';
import { folderOwner, setAside } from '../files/ownFiles.ts';
import { type Candidate, type Credentials, readCredentials, writeCredentials } from '../state/credentials.ts';
import { issuedSummary } from '../state/runCredentials.ts';
import type { EffectCall, EffectDependencies } from './dependencies.ts';

/** Of a run that began without this board secret, and may have sent its random or former credentials. */
const NOT_DERIVED =
  'This run began without this board secret, and a request may have been sent: it keeps the credentials that it has, and a lost card loses the device';

const namesIn = (credentials: Credentials): string => credentials.candidates.map(({ name }) => name).join(', ');

/** Why stored credentials can't be used by this run; undefined: they can. */
function unusableBecause(
  stored: Credentials,
  { board }: EffectDependencies,
  input: PrepareInput,
): { why: 'foreign' | 'superseded'; warning: string } | undefined {
  const where = hostAndPort(stored.target);
  if (mayBeThisBoard(stored.board, board)) {
    return {
      why: 'foreign',
      warning: `The unfinished run in this folder was begun under another machine-id, though the network address is the same (does the machine-id change at each boot?): an unused device ${namesIn(stored)} may exist on ${where}, and this board generates its own name`,
    };
  }
  if (isForeignBoard(stored.board, board)) {
    return {
      why: 'foreign',
      warning: `The unfinished run in this folder belongs to another board (was the card cloned?): ${namesIn(stored)} on ${where} remains that board's device, and this board generates its own name`,
    };
  }
  if (stored.target.digest === input.settingsDigest) return undefined;
  return {
    why: 'superseded',
    warning: `provision.json was changed after a request may have been sent: an unused device ${namesIn(stored)} may exist on ${where}; delete it there`,
  };
}

/** Whether no device can exist: the run has sent nothing, or the server answered every request without a device. */
const leftNothing = ({ candidates, granted }: Credentials, { runId, startedOver }: PrepareInput): boolean =>
  granted === null && candidates.every((candidate) => candidate.answered || (startedOver && candidate.runId === runId));

/**
 * Reads the stored credentials. Those of another board or for other settings are set aside.
 * @param derive gives the credentials that the board secret gives
 */
async function usableCredentials(
  dependencies: EffectDependencies,
  input: PrepareInput,
  derive: Derive | undefined,
): Promise<{ stored: Credentials | undefined; warnings: string[] }> {
  const { paths, log, clock } = dependencies;
  const stored = await readCredentials(paths.credentials, log, clock.now());
  if (stored === undefined) return { stored, warnings: [] };
  const reason = unusableBecause(stored, dependencies, input);
  const derived = await areDerived(stored, derive);
  if (reason === undefined) {
    if (derive === undefined || derived) return { stored, warnings: [] };
    if (leftNothing(stored, input)) return { stored: undefined, warnings: [] };
    log.warn('credentials.notDerived', NOT_DERIVED);
    return { stored, warnings: [NOT_DERIVED] };
  }
  // The board secret gives them again, so no device can be lost, and none is another board's. A server gives its own
  // credentials only once.
  const { granted } = stored;
  const isGivenAgain =
    granted === null || stored.candidates.some((own) => areEqual(own.credentials, granted.credentials));
  if (derived && isGivenAgain) return { stored: undefined, warnings: [] };
  if (reason.why === 'superseded' && leftNothing(stored, input)) return { stored: undefined, warnings: [] };
  const movedTo = await setAside(paths.credentials, reason.why, clock.now());
  log.warn(`credentials.${reason.why}`, reason.warning, { movedTo });
  return { stored: undefined, warnings: [reason.warning] };
}

/** Gives the credentials that the board secret gives a device of this name. */
type Derive = (deviceName: string) => Promise<DeviceCredentials>;

/** @returns undefined: there is no board secret, or it is not used @throws Failure BOARD_SECRET_UNUSABLE */
async function derivation(
  { paths, externalSettings }: EffectDependencies,
  settings: ProvisionSettings,
): Promise<Derive | undefined> {
  const file = boardSecretFile(settings, externalSettings);
  if (file === undefined) return undefined;
  const { credentials = 'access_token', host, deviceKey, tokenGeneration: generation = 1 } = settings;
  const { drawDerived, readBoardSecret } = await import('../device/boardSecret.ts');
  const secret = await readBoardSecret(file, paths.deviceFolder);
  return (deviceName) =>
    generateCredentials(credentials, deviceName, drawDerived(secret, { host, deviceKey, deviceName, generation }));
}

/** Whether the board secret gives all these credentials. */
async function areDerived({ candidates }: Credentials, derive: Derive | undefined): Promise<boolean> {
  if (derive === undefined) return false;
  for (const { name, credentials } of candidates) {
    if (!areEqual(credentials, await derive(name))) return false;
  }
  return true;
}

/**
 * Reuses the stored name and credentials, or generates them and makes them durable. The device generates its own
 * credentials so that it can check later whether an unanswered request succeeded. The pause of --splay follows: a kill during
 * the pause loses nothing, because the next start runs this effect again.
 * @throws Failure SETTINGS_CHANGED, PROVISION_JSON_*, BOARD_SECRET_UNUSABLE, CREDENTIALS_*, DISK_*, FOLDER_NOT_WRITABLE
 */
export async function prepare(
  dependencies: EffectDependencies,
  { input, signal }: EffectCall<PrepareInput>,
): Promise<PrepareOutput> {
  const { paths, log, clock, board } = dependencies;
  const settings = await currentSettings(dependencies, input.settingsDigest);
  const derive = await derivation(dependencies, settings);
  const { stored, warnings } = await usableCredentials(dependencies, input, derive);
  // An earlier run may already use its second or third name.
  const nameIndex = Math.max(input.nameIndex, ...(stored?.candidates.map((candidate) => candidate.nameIndex) ?? []));
  let candidate = stored?.candidates.find((known) => known.nameIndex === nameIndex);
  const derived = stored === undefined ? derive !== undefined : await areDerived(stored, derive);
  if (candidate === undefined) {
    // provision.json is the word of its folder's owner, so a command of it runs as that user.
    const name = await deviceNameFor(settings.name, { signal, ...(await folderOwner(paths.provisionJson)) });
    candidate = {
      nameIndex,
      name,
      credentials: await (derive?.(name) ??
        generateCredentials(settings.credentials ?? 'access_token', name, drawRandom)),
      runId: input.runId,
      // If the first name was never sent, its file is removed at the end of the run. Later names stay.
      answered: nameIndex > 1 || derived,
    } satisfies Candidate;
    signal.throwIfAborted();
    await writeCredentials(paths.credentials, {
      target: { digest: input.settingsDigest, host: settings.host, port: settings.port },
      board,
      candidates: [...(stored?.candidates ?? []), candidate],
      granted: stored?.granted ?? null,
    });
    const label = labelOf(candidate.credentials);
    const text = derived
      ? `The board secret gives ${label} for the device name ${candidate.name}`
      : `Generated the device name ${candidate.name} and ${label}`;
    log.info('candidate.drawn', text, {
      deviceName: candidate.name,
      token: fingerprintOf(candidate.credentials),
    });
  } else {
    log.info('candidate.adopted', `Reusing the device name ${candidate.name} and its credentials, generated earlier`, {
      deviceName: candidate.name,
      token: fingerprintOf(candidate.credentials),
      drawnByRun: candidate.runId,
    });
  }
  const granted = stored?.granted ?? null;
  // Only the first contact is delayed. With a second name, or a name of an earlier run, the server was contacted before.
  const isFirstContact = nameIndex === 1 && candidate.runId === input.runId && granted === null;
  if (isFirstContact) await dependencies.splay?.(candidate.name, signal);
  return {
    nameIndex,
    deviceName: candidate.name,
    fingerprint: fingerprintOf(candidate.credentials),
    // The card may have been wiped after a request: the server may know derived credentials.
    reused: derived || candidate.runId !== input.runId,
    answered: candidate.answered && !derived,
    derived,
    granted: granted === null ? null : issuedSummary(granted, input.runId),
    warnings,
    at: clock.now(),
  };
}
