/** Calls of an effect outside a run. */

import { readBoardIdentity } from '../../src/device/board.ts';
import type { DevicePaths } from '../../src/device/paths.ts';
import type { EffectCall, EffectDependencies } from '../../src/effects/dependencies.ts';
import { createLog, type LogRecord } from '../../src/log/log.ts';
import { standbyStream } from '../../src/thingsboard/standbyStream.ts';
import { systemClock } from '../../src/time/clock.ts';
import { AGENT_VERSION } from './agentRun.ts';

export interface EffectScene {
  readonly dependencies: EffectDependencies;
  /** Names of the logged events, in order. */
  readonly events: () => readonly string[];
  /** The logged lines with this event. */
  readonly of: (event: string) => readonly LogRecord[];
}

export async function effectScene(paths: DevicePaths): Promise<EffectScene> {
  const records: LogRecord[] = [];
  const clock = systemClock();
  const position = { runId: 'run-1', state: null, attempt: null };
  const log = createLog((record) => records.push(record), clock, position);
  const board = await readBoardIdentity('board-1');
  return {
    dependencies: { paths, clock, log, board, agentVersion: AGENT_VERSION, standby: standbyStream() },
    events: () => records.map(({ event }) => event),
    of: (event) => records.filter((record) => record.event === event),
  };
}

export const effectCall = <Input>(input: Input): EffectCall<Input> => ({
  input,
  signal: new AbortController().signal,
});
