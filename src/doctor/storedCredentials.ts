import { type BoardIdentity, isForeignBoard, mayBeThisBoard } from '../device/board.ts';
import { hostAndPort } from '../endpoint.ts';
import { type Credentials, inspectCredentials } from '../state/credentials.ts';
import { type Checked, type Finding, passed, warning } from './check.ts';

/** Checks credentials.json of an unfinished run. The fact is the credentials with which the next run would resume. */
export async function checkStoredCredentials(path: string, board: BoardIdentity): Promise<Checked<Credentials>> {
  const open: Finding[] = [];
  const read = await inspectCredentials(path, (mode) => {
    open.push(warning(`other users can access ${path} (mode ${mode.toString(8)})`, `Run: chmod 600 ${path}`));
  });
  if (read.kind === 'absent') return { findings: [passed('no unfinished run')] };
  if (read.kind === 'damaged') {
    const damaged = warning(
      `${path} can't be used: ${read.why}`,
      'The next run sets the file aside and generates a new name. Check the server for an unused device.',
    );
    return { findings: [damaged] };
  }
  const { credentials } = read;
  const { candidates, target } = credentials;
  const held = `${candidates.map(({ name }) => name).join(', ')} for ${hostAndPort(target)}`;
  if (isForeignBoard(credentials.board, board)) {
    const foreign = warning(
      `unfinished run of another board: ${held}`,
      mayBeThisBoard(credentials.board, board)
        ? 'Only the machine-id differs. If it changes at each boot, make it permanent or set THERMAL_BOARD_ID. The next run generates a new name; check the server for an unused device.'
        : 'Was the card cloned? The next run sets the file aside and generates a new name.',
    );
    return { findings: [foreign] };
  }
  return { findings: [passed(`unfinished run: ${held}`), ...open], fact: credentials };
}
