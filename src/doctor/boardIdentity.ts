import { hasOnlyVolatileIdentity, readBoardIdentity, volatileMachineId } from '../device/board.ts';
import { type Checked, passed, warning } from './check.ts';

/**
 * Checks that this board is still recognised after a reboot: otherwise an interrupted run does not resume.
 * @param override THERMAL_BOARD_ID
 * @param isRecoverable whether a board secret brings the device back
 */
export async function checkBoardIdentity(
  override: string | undefined,
  isRecoverable: boolean,
  read = readBoardIdentity,
  lost = volatileMachineId,
): Promise<Checked<never>> {
  const board = await read(override);
  const { serial, machine, volatileMachine, address } = board;
  if (serial !== null)
    return { findings: [passed(override ? 'THERMAL_BOARD_ID is set' : 'the board has a serial number')] };
  if (volatileMachine === true) {
    if (isRecoverable) return { findings: [passed('the machine-id is not permanent, but there is a board secret')] };
    const consequence = hasOnlyVolatileIdentity(board)
      ? 'a run that a reboot interrupts is not resumed, and its device is stranded'
      : 'the board is recognised by its network address instead';
    const message = `the machine-id is not permanent: /etc/machine-id is on ${await lost()}; ${consequence}`;
    return {
      findings: [
        warning(message, 'Run: systemd-machine-id-setup --commit, on a writable root. Or set THERMAL_BOARD_ID.'),
      ],
    };
  }
  if (machine !== null) return { findings: [passed('the machine-id is permanent')] };
  return {
    findings: [
      passed(address === null ? 'none: no serial number and no machine-id' : 'the board has a network address'),
    ],
  };
}
