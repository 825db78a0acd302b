import type { PrepareInput, PrepareOutput } from '../../machines/provision.types.ts';
import { boardSecretFile } from '../config/provision/boardSecretFile.ts';
import { currentSettings } from '../config/provision/currentSettings.ts';
import type { ProvisionSettings } from '../config/provision/provisionSettings.ts';
import { isForeignBoard, mayBeThisBoard } from '../device/board.ts';
import { drawRandom, generateCredentials } from '../device/candidate.ts';
import { deviceNameFor } from '../device/deviceName.ts';
import { type DeviceCredentials, fingerprintOf, labelOf } from '../deviceCredentials.ts';
import { hostAndPort } from '../endpoint.ts';
import { folderOwner, setAside } from '../files/ownFiles.ts';
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

/** Reads the stored credentials. Those of another board or for other settings are set aside. */
async function usableCredentials(
  dependencies: EffectDependencies,
  input: PrepareInput,
): Promise<{ stored: Credentials | undefined; warnings: string[] }> {
  const { paths, log, clock } = dependencies;
  const stored = await readCredentials(paths.credentials, log, clock.now());
  if (stored === undefined) return { stored, warnings: [] };
  const reason = unusableBecause(stored, dependencies, input);
  if (reason === undefined) return { stored, warnings: [] };
  if (reason.why === 'superseded' && leftNothing(stored, input)) return { stored: undefined, warnings: [] };
  const movedTo = await setAside(paths.credentials, reason.why, clock.now());
  log.warn(`credentials.${reason.why}`, reason.warning, { movedTo });
  return { stored: undefined, warnings: [reason.warning] };
}

/** Draws the credentials of a new name, or derives them from the board secret. @throws Failure BOARD_SECRET_UNUSABLE */
async function newCredentials(
  { paths, externalSettings }: EffectDependencies,
  settings: ProvisionSettings,
  deviceName: string,
): Promise<DeviceCredentials> {
  const { credentials = 'access_token', host, deviceKey, tokenGeneration = 1 } = settings;
  const file = boardSecretFile(settings, externalSettings);
  if (file === undefined) return generateCredentials(credentials, deviceName, drawRandom);
  const { drawDerived, readBoardSecret } = await import('../device/boardSecret.ts');
  const secret = await readBoardSecret(file, paths.deviceFolder);
  const binding = { host, deviceKey, deviceName, generation: tokenGeneration };
  return generateCredentials(credentials, deviceName, drawDerived(secret, binding));
}

/**
 * Reuses the stored name and credentials, or generates them and makes them durable. The device generates its own
 * credentials so that it can check later whether an unanswered request succeeded. The pause of --splay follows: a kill during
 * the pause loses nothing, because the next start runs this effect again.
 * @throws Failure SETTINGS_CHANGED, PROVISION_JSON_*, CREDENTIALS_*, DISK_*, FOLDER_NOT_WRITABLE
 */
export async function prepare(
  dependencies: EffectDependencies,
  { input, signal }: EffectCall<PrepareInput>,
): Promise<PrepareOutput> {
  const { paths, log, clock, board } = dependencies;
  const settings = await currentSettings(dependencies, input.settingsDigest);
  const { stored, warnings } = await usableCredentials(dependencies, input);
  // An earlier run may already use its second or third name.
  const nameIndex = Math.max(input.nameIndex, ...(stored?.candidates.map((candidate) => candidate.nameIndex) ?? []));
  let candidate = stored?.candidates.find((known) => known.nameIndex === nameIndex);
  const derives = boardSecretFile(settings, dependencies.externalSettings) !== undefined;
  if (candidate === undefined) {
    // provision.json is the word of its folder's owner, so a command of it runs as that user.
    const name = await deviceNameFor(settings.name, { signal, ...(await folderOwner(paths.provisionJson)) });
    candidate = {
      nameIndex,
      name,
      credentials: await newCredentials(dependencies, settings, name),
      runId: input.runId,
      // If the first name was never sent, its file is removed at the end of the run. Later names stay.
      answered: nameIndex > 1 || derives,
    } satisfies Candidate;
    signal.throwIfAborted();
    await writeCredentials(paths.credentials, {
      target: { digest: input.settingsDigest, host: settings.host, port: settings.port },
      board,
      candidates: [...(stored?.candidates ?? []), candidate],
      granted: stored?.granted ?? null,
    });
    log.info('candidate.drawn', `Generated the device name ${candidate.name} and ${labelOf(candidate.credentials)}`, {
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
    reused: derives || candidate.runId !== input.runId,
    answered: candidate.answered && !derives,
    granted: granted === null ? null : issuedSummary(granted, input.runId),
    warnings,
    at: clock.now(),
  };
}
