import type { ExternalSettings } from '../config/provision/externalSettings.ts';
import type { BoardIdentity } from '../device/board.ts';
import type { DevicePaths } from '../device/paths.ts';
import type { Splay } from '../device/splay.ts';
import type { Log } from '../log/log.ts';
import type { StandbyStream } from '../thingsboard/standbyStream.ts';
import type { Clock } from '../time/clock.ts';

/** Everything that the effects of one run use. */
export interface EffectDependencies {
  readonly paths: DevicePaths;
  /** Other sources of settings than provision.json in the device folder; absent: none. */
  readonly externalSettings?: ExternalSettings | undefined;
  readonly clock: Clock;
  readonly log: Log;
  readonly board: BoardIdentity;
  readonly agentVersion: string;
  readonly standby: StandbyStream;
  /** Absent: no pause before the first contact. */
  readonly splay?: Splay;
}

/** The second argument of an effect, after its dependencies. */
export interface EffectCall<Input> {
  readonly input: Input;
  readonly signal: AbortSignal;
}
