import { setTimeout as pause } from 'node:timers/promises';
import { quickProvisionJson } from '../../support/deviceFolder.ts';
import type { Board, UnitProperties } from './board.ts';

type Provisioning = Readonly<Record<string, unknown>>;

/** provision.json for a server on this machine. */
export const requestText = (port: number, provisioning: Provisioning = {}): string =>
  quickProvisionJson({ port, provisioning: { timeout_seconds: 5, ...provisioning } });

/** The two files, the trigger last. */
export async function request(board: Board, port: number, provisioning: Provisioning = {}): Promise<void> {
  await board.put(board.paths.provisionJson, requestText(port, provisioning));
  await board.put(board.paths.provisionTxt, '');
}

/** A drop-in for the agent with a patience that a test can bear; the unit's own begins with 15 s. */
export const IMPATIENT = '[Service]\nRestartSec=300ms\nRestartSteps=0\nRestartMaxDelaySec=infinity\n';

const WAIT_MS = 40_000;

/**
 * Looks again and again until something is as it shall be.
 * @param look what is there; its last result is in the error
 * @throws when it does not come in time
 */
export async function until<T>(look: () => Promise<T>, accept: (found: T) => boolean, everyMs = 150): Promise<T> {
  const deadline = performance.now() + WAIT_MS;
  let found = await look();
  while (!accept(found)) {
    if (performance.now() > deadline) throw new Error(`it does not come; last seen: ${JSON.stringify(found)}`);
    await pause(everyMs);
    found = await look();
  }
  return found;
}

/** Of a unit: what the tests ask after. */
export async function stateOf(board: Board, name: string): Promise<UnitProperties> {
  const { ActiveState = '', SubState = '', Result = '', ...unit } = await board.unit(name);
  const { ExecMainStatus = '', NRestarts = '', ConditionResult = '', ExecMainStartTimestampMonotonic = '' } = unit;
  const { ExecMainExitTimestampMonotonic = '' } = unit;
  return {
    ActiveState,
    SubState,
    Result,
    ExecMainStatus,
    NRestarts,
    ConditionResult,
    ExecMainStartTimestampMonotonic,
    ExecMainExitTimestampMonotonic,
  };
}

/** Waits until a unit that has been started since the boot is in a state. */
export const unitWhen = (board: Board, name: string, state: string): Promise<UnitProperties> =>
  until(
    () => stateOf(board, name),
    ({ ActiveState, ExecMainStartTimestampMonotonic }) =>
      ExecMainStartTimestampMonotonic !== '0' && ActiveState === state,
  );

/** Waits until the boot is over, with every job that belongs to it. @returns `running`, or what is wrong */
export const bootWhen = (board: Board): Promise<string> =>
  until(
    () => board.run('sh', '-c', 'systemctl is-system-running || true'),
    (found) => !['initializing\n', 'starting\n'].includes(found),
  );
