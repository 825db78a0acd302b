import { type BoardIdentity, isForeignBoard } from '../device/board.ts';
import { hostAndPort } from '../endpoint.ts';
import { Failure } from '../failures/failure.ts';
import {
  CREDENTIALS_FORMAT,
  CREDENTIALS_VERSION,
  type Credentials,
  credentialsSchema,
  isOwnedByUs,
} from '../state/credentials.ts';
import { readOwnDocument, versionOf } from '../state/ownDocument.ts';
import { type Checked, type Finding, passed, warning } from './check.ts';

const damaged = (path: string, why: string): Finding =>
  warning(
    `${path} can't be used: ${why}`,
    'The next run moves it out of the way and draws a new name; look on the server for a device that nobody uses.',
  );

/**
 * credentials.json of an unfinished run. The reader that a run uses corrects modes and moves damaged files: here
 * nothing is changed. The fact is what the next run would take up.
 */
export async function checkStoredCredentials(path: string, board: BoardIdentity): Promise<Checked<Credentials>> {
  const read = await readOwnDocument(path);
  if (read.kind === 'absent') return { findings: [passed('no unfinished run')] };
  if (read.kind === 'not-permitted') {
    throw new Failure('CREDENTIALS_FOREIGN_OWNER', 'unreadable', { path }, read.cause);
  }
  if (read.kind === 'damaged') return { findings: [damaged(path, read.why)] };
  if (!(await isOwnedByUs(path, read.uid))) {
    throw new Failure('CREDENTIALS_FOREIGN_OWNER', 'otherOwner', { path, uid: read.uid });
  }
  const version = versionOf(read.json, CREDENTIALS_FORMAT);
  if (version !== undefined && version > CREDENTIALS_VERSION) {
    throw new Failure('CREDENTIALS_NEWER', 'newer', { path, version, known: CREDENTIALS_VERSION });
  }
  const parsed = credentialsSchema.safeParse(read.json);
  if (version === undefined || !parsed.success) return { findings: [damaged(path, 'not of the expected shape')] };
  const { candidates, target } = parsed.data;
  const held = `${candidates.map(({ name }) => name).join(', ')} for ${hostAndPort(target)}`;
  if (isForeignBoard(parsed.data.board, board)) {
    const foreign = warning(
      `holds another board's unfinished run: ${held}`,
      'Was the card cloned? The next run sets the file aside and draws a name of its own.',
    );
    return { findings: [foreign] };
  }
  const open =
    (read.mode & 0o077) === 0
      ? []
      : [warning(`${path} is open to others (mode ${read.mode.toString(8)})`, `Run: chmod 600 ${path}`)];
  return { findings: [passed(`an unfinished run holds ${held}`), ...open], fact: parsed.data };
}
