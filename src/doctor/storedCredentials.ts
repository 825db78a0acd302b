import { type BoardIdentity, isForeignBoard } from '../device/board.ts';
import { hostAndPort } from '../endpoint.ts';
import { type Credentials, inspectCredentials } from '../state/credentials.ts';
import { type Checked, type Finding, passed, warning } from './check.ts';

/** credentials.json of an unfinished run. The fact is what the next run would take up. */
export async function checkStoredCredentials(path: string, board: BoardIdentity): Promise<Checked<Credentials>> {
  const open: Finding[] = [];
  const read = await inspectCredentials(path, (mode) => {
    open.push(warning(`${path} is open to others (mode ${mode.toString(8)})`, `Run: chmod 600 ${path}`));
  });
  if (read.kind === 'absent') return { findings: [passed('no unfinished run')] };
  if (read.kind === 'damaged') {
    const damaged = warning(
      `${path} can't be used: ${read.why}`,
      'The next run moves it out of the way and draws a new name; look on the server for a device that nobody uses.',
    );
    return { findings: [damaged] };
  }
  const { credentials } = read;
  const { candidates, target } = credentials;
  const held = `${candidates.map(({ name }) => name).join(', ')} for ${hostAndPort(target)}`;
  if (isForeignBoard(credentials.board, board)) {
    const foreign = warning(
      `holds another board's unfinished run: ${held}`,
      'Was the card cloned? The next run sets the file aside and draws a name of its own.',
    );
    return { findings: [foreign] };
  }
  return { findings: [passed(`an unfinished run holds ${held}`), ...open], fact: credentials };
}
