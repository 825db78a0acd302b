import type { ExternalSettings } from '../config/provision/externalSettings.ts';
import type { BoardIdentity } from '../device/board.ts';
import type { DevicePaths } from '../device/paths.ts';
import type { Splay } from '../device/splay.ts';
import type { Log } from '../log/log.ts';
import type { StandbyStream } from '../thingsboard/standbyStream.ts';
import type { Clock } from '../time/clock.ts';

/** What every effect works with; one run has one of it. */
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

/** What an effect is given besides its dependencies. */
export interface EffectCall<Input> {
  readonly input: Input;
  readonly signal: AbortSignal;
}
