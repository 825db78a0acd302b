import { createActor, type InspectionEvent, type Observer } from 'xstate';
import { telemetryMachine } from '../../machines/telemetry.machine.ts';
import type { ClientConfig } from '../config/thermal/clientConfig.ts';
import { toFailure } from '../failures/failure.ts';
import type { Log } from '../log/log.ts';
import type { Clock } from '../time/clock.ts';
import { within } from '../time/within.ts';
import type { ProvisioningRecord } from './provisioningRecord.ts';
import type { RpcMethods } from './rpc/methods.ts';
import { type ClientLimits, createTelemetryEffects } from './telemetryEffects.ts';
import { reportingActions } from './telemetryReport.ts';
import type { TemperatureSource } from './temperatureSource.ts';
import { SESSION_LIMITS } from './thingsboardSession.ts';

const CLIENT_LIMITS: ClientLimits = { ...SESSION_LIMITS, readMs: 10_000 };

/** Limit for closing the source, so that stopping takes less than two seconds in total. */
const SOURCE_CLOSE_MS = 500;

/** The timers of the chart: those of xstate, or a SimulatedClock. */
interface ChartClock {
  setTimeout(callback: () => void, ms: number): unknown;
  clearTimeout(id: unknown): void;
}

export interface RunClientOptions {
  readonly deviceFolder: string;
  readonly config: ClientConfig;
  /** Reads thermal_config.json again before each connection; absent: `config` stays in use. */
  readonly readConfig?: () => Promise<ClientConfig>;
  /** `runClient` closes the source at the end. */
  readonly source: TemperatureSource;
  /** The provisioning details to publish; absent: none are published. */
  readonly record?: ProvisioningRecord;
  /** What the server may ask for; absent: no request is taken. */
  readonly methods?: RpcMethods;
  readonly log: Log;
  readonly clock: Clock;
  /** Ends normal operation. */
  readonly signal: AbortSignal;
  readonly inspect?: Observer<InspectionEvent> | ((event: InspectionEvent) => void);
  readonly limits?: Partial<ClientLimits>;
  readonly chartClock?: ChartClock;
  /** Random numbers from 0 to 1, which spread the reconnects of a fleet. */
  readonly random?: () => number;
}

async function closeSource(source: TemperatureSource, log: Log): Promise<void> {
  try {
    await within(SOURCE_CLOSE_MS, source.close());
  } catch (error) {
    log.warn('source.not-closed', `Can't close the temperature source: ${toFailure(error).message}`);
  }
}

/**
 * Normal operation: publishes the temperatures of the enabled measurement spots until the signal is aborted. No error
 * of the server or the source ends it. Resolves within two seconds after the abort, with all sockets closed.
 * @returns whether the server has asked for a new device: the next run must start
 * @throws Failure INTERNAL for a bug in the chart or its effects
 */
export async function runClient(options: RunClientOptions): Promise<{ readonly runRequested: boolean }> {
  const { source, log, clock, signal, inspect, chartClock } = options;
  const limits = { ...CLIENT_LIMITS, ...options.limits };
  const effects = createTelemetryEffects({ ...options, limits });
  const machine = telemetryMachine.provide({ actors: effects, actions: reportingActions(log, clock) });
  const actor = createActor(machine, {
    input: { spread: 0.5 + (options.random ?? Math.random)() / 2 },
    ...(inspect === undefined ? {} : { inspect }),
    ...(chartClock === undefined ? {} : { clock: chartClock }),
  });
  const stop = (): void => actor.send({ type: 'STOP' });
  try {
    await new Promise<void>((resolve, reject) => {
      actor.subscribe({ complete: resolve, error: (error) => reject(toFailure(error)) });
      actor.start();
      if (signal.aborted) stop();
      signal.addEventListener('abort', stop, { once: true });
    });
    const { connections, messages, runRequested } = actor.getSnapshot().context;
    log.info('telemetry.stopped', 'Normal operation ended', { connections, messages });
    return { runRequested };
  } finally {
    signal.removeEventListener('abort', stop);
    actor.stop();
    await closeSource(source, log);
  }
}
