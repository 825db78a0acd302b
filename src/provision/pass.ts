import type { InspectionEvent } from 'xstate';
import type { ProvisionState } from '../../machines/provision.states.ts';
import type { ExternalSettings } from '../config/provision/externalSettings.ts';
import type { DevicePaths } from '../device/paths.ts';
import type { EffectDependencies } from '../effects/dependencies.ts';
import type { Log, LogSink, RunPosition } from '../log/log.ts';
import type { RecordedContext } from '../state/snapshotDocument.ts';
import type { Clock } from '../time/clock.ts';

/** A run ends itself before systemd's TimeoutStartSec of ten minutes does (docs/install.md). */
export const RUN_TIME_LIMIT_MS = 9 * 60 * 1000;
/** The timers of the chart's pauses: xstate's own, or a faster one. */
interface ChartClock {
  setTimeout(callback: () => void, ms: number): unknown;
  clearTimeout(id: unknown): void;
}

export interface AgentOptions {
  readonly paths: DevicePaths;
  readonly agentVersion: string;
  readonly sink: LogSink;
  /** Aborted: the run is interrupted, and goes on at the next start. */
  readonly signal: AbortSignal;
  readonly keepBackups?: number;
  /** THERMAL_BOARD_ID; default: read from the hardware. */
  readonly boardId?: string;
  /** Other sources of settings than provision.json in the device folder; default: none. */
  readonly externalSettings?: ExternalSettings;
  /** A pause of 0 to so many seconds, fixed for each board, before the first contact of a run; default 0: none. */
  readonly splaySeconds?: number;
  readonly runTimeLimitMs?: number;
  readonly clock?: Clock;
  /** Default: real time. One that ends the pauses early must have `clock` run ahead as far. */
  readonly chartClock?: ChartClock;
  /** Told about every state as soon as it is entered (progress displays). */
  readonly onState?: (state: ProvisionState, context: RecordedContext) => void;
  /** Told about everything that the chart's actors do (src/watch/); what it is told may hold anything. */
  readonly inspect?: (event: InspectionEvent) => void;
}

/** What one pass works with. */
export interface Pass {
  readonly options: AgentOptions;
  readonly dependencies: EffectDependencies;
  readonly position: RunPosition;
  readonly log: Log;
  /** Reading of `clock.monotonic()` at which all runs of the pass together have had their time. */
  readonly deadline: number;
  /** What a stuck disk may not let go before the run ends. */
  readonly unfinished: Set<Promise<unknown>>;
}
