import { type BoardIdentity, isForeignBoard, mayBeThisBoard } from '../device/board.ts';
import { fingerprintOf } from '../deviceCredentials.ts';
import { parseCredentials, registeredNothing } from '../state/credentials.ts';
import { readOwnDocument } from '../state/ownDocument.ts';
import { notPermitted, type Part, present, problemOf, unusable } from './part.ts';

/** What credentials.json says, without the secrets in it. */
export interface StoredCredentials {
  readonly target: { readonly digest: string; readonly host: string; readonly port: number };
  /** Generated on another board: the folder was copied, or the card was cloned. */
  readonly foreign: boolean;
  /** Foreign, though only the machine-id differs. */
  readonly mayBeThisBoard: boolean;
  /** Generated device names, oldest first. */
  readonly names: readonly string[];
  /** Whether the server answered every request with these names, and registered no device. false: not known. */
  readonly registeredNothing: boolean;
  /** The runs that generated them. */
  readonly generatedBy: readonly string[];
  /** Name of the device that the server issued. */
  readonly granted: string | null;
  /** Eight digits of the digest of its credentials, for comparison with `ConfiguredDevice.fingerprint`. */
  readonly fingerprint: string | null;
}

const DAMAGED_HINT =
  'The next run sets it aside. If a request was sent with it, an unused device may exist on the server.';

/**
 * Reads credentials.json for any user who may read it. A run and doctor use `inspectCredentials`, which also checks the
 * owner. Null: there is no file.
 * @param board undefined: not known, so nothing is foreign
 */
export async function readStoredCredentials(
  path: string,
  board: BoardIdentity | undefined,
): Promise<Part<StoredCredentials | null>> {
  try {
    const read = await readOwnDocument(path);
    if (read.kind === 'absent') return present(null);
    if (read.kind === 'not-permitted') throw notPermitted(path, read.cause);
    if (read.kind === 'damaged') return damaged(path, read.why);
    const credentials = parseCredentials(read.json, path);
    if (credentials === undefined) return damaged(path, 'unexpected content');
    const { target, candidates, granted } = credentials;
    return present({
      target,
      foreign: board !== undefined && isForeignBoard(credentials.board, board),
      mayBeThisBoard: board !== undefined && mayBeThisBoard(credentials.board, board),
      names: candidates.map(({ name }) => name),
      registeredNothing: registeredNothing(credentials),
      generatedBy: candidates.map(({ runId }) => runId),
      granted: granted?.deviceName ?? null,
      fingerprint: granted === null ? null : fingerprintOf(granted.credentials),
    });
  } catch (error) {
    return unusable(problemOf(error));
  }
}

const damaged = (path: string, why: string): Part<never> =>
  unusable({
    code: 'CREDENTIALS_DAMAGED',
    message: `${path} can't be used: ${why}`,
    hint: DAMAGED_HINT,
    retryable: false,
  });
