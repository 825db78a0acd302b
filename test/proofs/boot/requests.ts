import { setTimeout as pause } from 'node:timers/promises';
import { quickProvisionJson } from '../../support/deviceFolder.ts';
import type { Board, UnitProperties } from './board.ts';

type Provisioning = Readonly<Record<string, unknown>>;

/** provision.json for a server on this machine. */
export const requestText = (port: number, provisioning: Provisioning = {}): string =>
  quickProvisionJson({ port, provisioning: { timeout_seconds: 5, ...provisioning } });

/** Puts provision.json and then provision.txt into the camera's folder. */
export async function request(board: Board, port: number, provisioning: Provisioning = {}): Promise<void> {
  await board.put(board.paths.provisionJson, requestText(port, provisioning));
  await board.put(board.paths.provisionTxt, '');
}

/** A drop-in with short restart pauses for tests; the unit's pauses start at 15 s. */
export const SHORT_PAUSES = '[Service]\nRestartSec=300ms\nRestartSteps=0\nRestartMaxDelaySec=infinity\n';

const WAIT_MS = 40_000;

/**
 * Polls until a result is accepted.
 * @param look returns the present result; the error shows the last one
 * @throws when no result is accepted in time
 */
export async function until<T>(look: () => Promise<T>, accept: (found: T) => boolean, everyMs = 150): Promise<T> {
  const deadline = performance.now() + WAIT_MS;
  let found = await look();
  while (!accept(found)) {
    if (performance.now() > deadline)
      throw new Error(`the expected result did not come; the last one: ${JSON.stringify(found)}`);
    await pause(everyMs);
    found = await look();
  }
  return found;
}

/** The properties of a unit that the tests check. */
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

/** Waits until a unit that has been started since the boot has a state. */
export const unitWhen = (board: Board, name: string, state: string): Promise<UnitProperties> =>
  until(
    () => stateOf(board, name),
    ({ ActiveState, ExecMainStartTimestampMonotonic }) =>
      ExecMainStartTimestampMonotonic !== '0' && ActiveState === state,
  );

/** Waits until the boot with all its jobs has finished. @returns `running`, or the problem state */
export const bootWhen = (board: Board): Promise<string> =>
  until(
    () => board.run('sh', '-c', 'systemctl is-system-running || true'),
    (found) => !['initializing\n', 'starting\n'].includes(found),
  );
