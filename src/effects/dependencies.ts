import type { Clock } from '../clock.ts';
import type { Log } from '../log/log.ts';
import type { BoardIdentity } from '../state/board.ts';
import type { DevicePaths } from '../state/paths.ts';
import type { SpareStream } from '../thingsboard/spareStream.ts';

/** What every effect works with; one run has one of it. */
export interface EffectDependencies {
  readonly paths: DevicePaths;
  readonly clock: Clock;
  readonly log: Log;
  readonly board: BoardIdentity;
  readonly agentVersion: string;
  readonly spare: SpareStream;
}

/** What an effect is given besides its dependencies. */
export interface EffectCall<Input> {
  readonly input: Input;
  readonly signal: AbortSignal;
}
