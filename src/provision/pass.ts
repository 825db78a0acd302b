import type { InspectionEvent } from 'xstate';
import type { ProvisionState } from '../../machines/provision.states.ts';
import type { ExternalSettings } from '../config/provision/externalSettings.ts';
import type { DevicePaths } from '../device/paths.ts';
import type { EffectDependencies } from '../effects/dependencies.ts';
import type { Log, LogSink, RunPosition } from '../log/log.ts';
import type { RecordedContext } from '../state/snapshotDocument.ts';
import type { Clock } from '../time/clock.ts';

/** A run ends itself before systemd's TimeoutStartSec of ten minutes kills it (docs/install.md). */
export const RUN_TIME_LIMIT_MS = 9 * 60 * 1000;

/** Number of backups of thermal_config.json that are kept (FR-010). */
export const DEFAULT_KEEP_BACKUPS = 5;

/** Largest value of --keep-backups. */
export const MAX_KEEP_BACKUPS = 1000;

/** Largest value of --splay, in seconds. A longer pause would use up too much of the run's time limit. */
export const MAX_SPLAY = 300;

/** The timers of the chart's pauses: xstate's own, or a faster one. */
interface ChartClock {
  setTimeout(callback: () => void, ms: number): unknown;
  clearTimeout(id: unknown): void;
}

export interface AgentOptions {
  readonly paths: DevicePaths;
  readonly agentVersion: string;
  readonly sink: LogSink;
  /** Aborted: the run is interrupted, and the next start resumes it. */
  readonly signal: AbortSignal;
  readonly keepBackups?: number;
  /** THERMAL_BOARD_ID; default: read from the hardware. */
  readonly boardId?: string;
  /** Other sources of settings than provision.json in the device folder; default: none. */
  readonly externalSettings?: ExternalSettings;
  /** Upper limit in seconds of the pause before the first contact (splay.ts); default 0: no pause. */
  readonly splaySeconds?: number;
  readonly runTimeLimitMs?: number;
  readonly clock?: Clock;
  /** Default: real time. A clock that ends pauses early must advance `clock` by the same time. */
  readonly chartClock?: ChartClock;
  /** Called with every state as soon as it is entered, for progress displays. */
  readonly onState?: (state: ProvisionState, context: RecordedContext) => void;
  /** Called with every event of the chart's actors (src/watch/). The events may hold secrets. */
  readonly inspect?: (event: InspectionEvent) => void;
}

/** Everything that one pass uses. */
export interface Pass {
  readonly options: AgentOptions;
  readonly dependencies: EffectDependencies;
  readonly position: RunPosition;
  readonly log: Log;
  /** End of the time limit for all runs of the pass together, as a reading of `clock.monotonic()`. */
  readonly deadline: number;
  /** Writes that may outlive the run if the disk hangs. */
  readonly unfinished: Set<Promise<unknown>>;
}
