import { type BoardIdentity, isForeignBoard } from '../device/board.ts';
import { Failure } from '../failures/failure.ts';
import { CREDENTIALS_FORMAT, CREDENTIALS_VERSION, credentialsSchema } from '../state/credentials.ts';
import { readOwnDocument, versionOf } from '../state/ownDocument.ts';
import { notPermitted, type Part, present, problemOf, unusable } from './part.ts';

/** What credentials.json says, without the tokens in it. */
export interface StoredCredentials {
  readonly target: { readonly digest: string; readonly host: string; readonly port: number };
  /** Drawn by another board than this one: the folder was copied, or the card cloned. */
  readonly foreign: boolean;
  /** Device names that were drawn, oldest first. */
  readonly names: readonly string[];
  /** The runs that drew them. */
  readonly drawnBy: readonly string[];
  /** Name of the device that the server has granted. */
  readonly granted: string | null;
  /** Eight digits of the digest of its token, to be compared with `ConfiguredDevice.fingerprint`. */
  readonly fingerprint: string | null;
}

const DAMAGED_HINT =
  'The next run sets it aside. If a request had left with it, a device that nobody uses may exist on the server.';

/** Reads credentials.json and changes nothing, not even its mode. Null: there is none. */
export async function readStoredCredentials(
  path: string,
  board: BoardIdentity,
): Promise<Part<StoredCredentials | null>> {
  try {
    const read = await readOwnDocument(path);
    if (read.kind === 'absent') return present(null);
    if (read.kind === 'not-permitted') throw notPermitted(path, read.cause);
    if (read.kind === 'damaged') return damaged(path, read.why);
    const version = versionOf(read.json, CREDENTIALS_FORMAT);
    if (version !== undefined && version > CREDENTIALS_VERSION) {
      throw new Failure('CREDENTIALS_NEWER', 'newer', { path, version, known: CREDENTIALS_VERSION });
    }
    const parsed = credentialsSchema.safeParse(read.json);
    if (version === undefined || !parsed.success) return damaged(path, 'not of the expected shape');
    const { target, candidates, granted } = parsed.data;
    return present({
      target,
      foreign: isForeignBoard(parsed.data.board, board),
      names: candidates.map(({ name }) => name),
      drawnBy: candidates.map(({ runId }) => runId),
      granted: granted?.deviceName ?? null,
      fingerprint: granted?.token.fingerprint() ?? null,
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
